package config

import (
	"path/filepath"

	"retinago/anchors"
	"retinago/loss"
)

// Config is the whole tree. The yaml tag of a field is its key.
type Config struct {
	Model Model `yaml:"model"`
	Data  Data  `yaml:"data"`
	Match Match `yaml:"match"`
	Loss  Loss  `yaml:"loss"`
	Train Train `yaml:"train"`
	Infer Infer `yaml:"infer"`
}

// Model is the network. A checkpoint fits one Model only.
type Model struct {
	// Backbone is the network below the pyramid: a name of backbone.Kinds.
	Backbone string `yaml:"backbone"`
	// BackboneWidth is the channels of the backbone's stem, a multiple of 8; 0 is the paper's. Narrower ones are faster.
	BackboneWidth int `yaml:"backbone_width"`
	// StrideIn1x1 puts the stride of a bottleneck on its first convolution (He et al. 2016; detectron2's weights of
	// MSRA), not on the 3x3 one (torchvision).
	StrideIn1x1 bool `yaml:"stride_in_1x1"`
	// LeakySlope is the factor on activations below 0 of a mobilenet_v1: 0 in the paper, .1 in RetinaFace's weights.
	LeakySlope float64 `yaml:"leaky_slope"`
	// Norm in the backbone: frozen (stored statistics, never trained), batch (running statistics) or group.
	Norm string `yaml:"norm"`
	// FrozenStages do not train: 0 none, 1 the stem, 2 also the blocks at stride 4, up to 5.
	FrozenStages int `yaml:"frozen_stages"`
	// Pyramid is fpn, or pafpn with a second path upwards (Liu et al. 2018).
	Pyramid string `yaml:"pyramid"`
	// P2 begins the pyramid at C2 for small objects; anchors have a stride of 4 and a size more then.
	P2 bool `yaml:"p2"`
	// FPNWidth is the channels of every level and of the heads.
	FPNWidth int `yaml:"fpn_width"`
	// P6From is the map that P6 is computed from: c5 (paper, detectron2) or p5 (torchvision's first RetinaNet).
	P6From string `yaml:"p6_from"`
	// P7ReLU puts a ReLU between P6 and P7, as the paper, torchvision and detectron2 do; mmdetection does not.
	P7ReLU bool `yaml:"p7_relu"`
	// HeadDepth is the convolutions in each head before the last; the paper has 4.
	HeadDepth int `yaml:"head_depth"`
	// HeadNorm follows each of them: empty for none, or group.
	HeadNorm string `yaml:"head_norm"`
	// HeadActivation ends each of them: empty for relu, or a name of engine.Activations.
	HeadActivation string `yaml:"head_activation,omitempty"`
	// Background gives the class head a logit for the background, which the loss softmax wants.
	Background bool `yaml:"background"`
	// Prior is the probability of an object that the class head starts with, pi in the paper.
	Prior float64 `yaml:"prior"`
	// Anchors are the reference boxes, sizes in px of the resized picture.
	Anchors anchors.Config `yaml:"anchors"`
	// Classes are the names in the order of the outputs; empty takes the training set's categories.
	Classes []string `yaml:"classes,flow"`
	// CategoryIDs are the dataset's ids of Classes, in the same order; empty like Classes.
	CategoryIDs []int64 `yaml:"category_ids,flow"`
}

// Data is the pictures and their preparation.
type Data struct {
	// Root is put before the relative paths of Train and Val; empty is the current folder.
	Root string `yaml:"root"`
	// Train is the dataset to learn from.
	Train Set `yaml:"train"`
	// Val is the dataset to measure on.
	Val Set `yaml:"val"`
	// ValShare of the training set's pictures is held out and measured on, where Val names no dataset; 0 holds out none.
	ValShare float64 `yaml:"val_share"`
	// ValSeed draws the pictures that are held out.
	ValSeed uint64 `yaml:"val_seed"`
	// ShortSides in px: training draws one per batch; evaluation and detection take the last.
	ShortSides []int `yaml:"short_sides,flow"`
	// MaxSide in px bounds the long side after resizing.
	MaxSide int `yaml:"max_side"`
	// CanvasMultiple in px: canvases are multiples of it; itself a multiple of 32. At multiples of 128 every level divides evenly.
	CanvasMultiple int `yaml:"canvas_multiple"`
	// FastDecode reads a JPEG at 1/2, 1/4 or 1/8 where it is scaled down by as much: faster, and another picture than
	// torchvision and OpenCV scale to. A model is used as it was trained.
	FastDecode bool `yaml:"fast_decode"`
	// Flip is the probability of mirroring a training picture.
	Flip float64 `yaml:"flip"`
	// Mean per channel (R, G, B) is subtracted from pixels in [0,1].
	Mean [3]float32 `yaml:"mean,flow"`
	// Std per channel divides the difference.
	Std [3]float32 `yaml:"std,flow"`
	// Workers prepare pictures in parallel; 0 takes one per core.
	Workers int `yaml:"workers"`
}

// Path puts Root before a relative path.
func (d Data) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(d.Root, p)
}

// TestSide is the short side in px at evaluation and detection.
func (d Data) TestSide() int { return d.ShortSides[len(d.ShortSides)-1] }

// Set is a dataset; package convert documents the formats.
type Set struct {
	// Source is COCO's JSON, the folder of a Pascal VOC dataset, YOLO's data.yaml, or the CSV of keras-retinanet or OpenImages.
	Source string `yaml:"source"`
	// Format is coco, voc, yolo, csv or openimages; empty derives it from Source.
	Format string `yaml:"format"`
	// Images is the folder of the pictures; empty where the format knows it.
	Images string `yaml:"images"`
	// Split is the part to read: a list in VOC's ImageSets/Main, a key of data.yaml, a file of ids beside OpenImages' CSV.
	Split string `yaml:"split"`
	// Classes is a CSV file that lists the classes: class,number, or OpenImages' LabelName,DisplayName.
	Classes string `yaml:"classes"`
	// Difficult is the treatment of VOC's difficult objects: crowd (also where empty), keep or drop.
	Difficult string `yaml:"difficult"`
}

// Match decides which anchors learn which object.
type Match struct {
	// Kind is the assigner: a name of anchors.Kinds.
	Kind string `yaml:"kind"`
	// TopK is the cells per level whose anchors are candidates of atss; the others are iou's.
	TopK int `yaml:"top_k"`
	// Foreground is the least IoU of a positive anchor.
	Foreground float64 `yaml:"foreground"`
	// Background is the IoU below which an anchor is background. Between it and Foreground an anchor does not count.
	Background float64 `yaml:"background"`
	// LowQuality gives each object the anchors that overlap it most, however little that is.
	LowQuality bool `yaml:"low_quality"`
	// CrowdIoF is the share of an anchor inside a crowd region from which on it does not count; above 1 is never.
	CrowdIoF float64 `yaml:"crowd_iof"`
}

// Assigner returns the assigner of a validated configuration, where cells have perCell anchors.
func (m Match) Assigner(perCell int) anchors.Assigner {
	kind, err := anchors.Find(m.Kind)
	if err != nil {
		panic("config: " + err.Error())
	}
	return kind.New(anchors.Params{TopK: m.TopK, PerCell: perCell, Foreground: float32(m.Foreground), Background: float32(m.Background),
		LowQuality: m.LowQuality, CrowdIoF: float32(m.CrowdIoF)})
}

// Loss is what training minimises: class loss + BoxWeight * box loss, both divided by the Normalizer.
type Loss struct {
	// Kind is the class loss: a name of loss.Kinds, which lists the settings that each reads.
	Kind        string `yaml:"kind"`
	loss.Params `yaml:",inline"`
	// Box is the box loss: a name of loss.BoxKinds.
	Box string `yaml:"box"`
	// Beta is the difference below which smoothl1 is quadratic.
	Beta float64 `yaml:"beta"`
	// BoxWeight multiplies the box loss.
	BoxWeight float64 `yaml:"box_weight"`
	// Normalizer is the divisor of both losses: a name of loss.Normalizers.
	Normalizer string `yaml:"normalizer"`
}

// Train is the optimisation. LR, Steps and WarmupSteps are for BaseBatch pictures per step and scale with Batch.
type Train struct {
	// Batch is the pictures per step.
	Batch int `yaml:"batch"`
	// BaseBatch is the pictures per step that LR, Steps and WarmupSteps were chosen for.
	BaseBatch int `yaml:"base_batch"`
	// Epochs is the length of a run, or Steps is, and the other 0; the one that a file or override gives replaces the default's.
	Epochs int `yaml:"epochs"`
	// Steps is the length of a run; see Epochs.
	Steps int `yaml:"steps"`
	// Optimizer is sgd, adam or adamw.
	Optimizer string `yaml:"optimizer"`
	// LR is the learning rate after the warm-up.
	LR float64 `yaml:"lr"`
	// Momentum is the decay of sgd's mean of gradients.
	Momentum float64 `yaml:"momentum"`
	// Nesterov makes sgd's momentum Nesterov's.
	Nesterov bool `yaml:"nesterov"`
	// Beta1 is the decay of Adam's mean of gradients.
	Beta1 float64 `yaml:"beta1"`
	// Beta2 is the decay of Adam's mean of squared gradients.
	Beta2 float64 `yaml:"beta2"`
	// Eps is added to the root in Adam's divisor.
	Eps float64 `yaml:"eps"`
	// WeightDecay times the weights is added to their gradients; adamw subtracts it from the weights themselves.
	WeightDecay float64 `yaml:"weight_decay"`
	// DecayNormBias applies WeightDecay to norms and biases too.
	DecayNormBias bool `yaml:"decay_norm_bias"`
	// WarmupSteps are the steps in which the rate rises linearly from WarmupFactor*LR to LR.
	WarmupSteps int `yaml:"warmup_steps"`
	// WarmupFactor is the share of LR at the first step.
	WarmupFactor float64 `yaml:"warmup_factor"`
	// Schedule is multistep (times Gamma at each of Milestones), cosine (to 0) or constant.
	Schedule string `yaml:"schedule"`
	// Milestones are shares of the whole run, rising, in (0,1): they hold for any number of steps.
	Milestones []float64 `yaml:"milestones,flow"`
	// Gamma multiplies the rate at each milestone.
	Gamma float64 `yaml:"gamma"`
	// ClipNorm bounds the norm of all gradients together; 0 is unbounded.
	ClipNorm float64 `yaml:"clip_norm"`
	// Seed determines the initial weights, the order of pictures and their flips.
	Seed uint64 `yaml:"seed"`
	// Threads of the compute; 0 takes all cores, or fewer where a CPU quota of control groups gives less.
	Threads int `yaml:"threads"`
	// Convolutions chooses their kernels: fixed, by a rule on shapes, measured, by what is faster on this machine, onednn or
	// winograd. They round differently: runs are equal to the bit where choices are, as fixed ones always are.
	Convolutions string `yaml:"convolutions"`
	// RecomputeHeads computes the heads' layers again in the backward pass instead of keeping their results: the same numbers in
	// less memory, and more time.
	RecomputeHeads bool `yaml:"recompute_heads"`
	// EvalEvery is the steps between two evaluations; 0 evaluates at the end alone.
	EvalEvery int `yaml:"eval_every"`
	// CheckpointEvery is the steps between two saved states; 0 saves at the end alone.
	CheckpointEvery int `yaml:"checkpoint_every"`
	// LogEvery is the steps between two lines of the log; 0 writes one at the end alone.
	LogEvery int `yaml:"log_every"`
	// InitWeights is a file to start from, safetensors or PyTorch's .pth: a backbone's or a checkpoint's. Empty starts from
	// random.
	InitWeights string `yaml:"init_weights"`
	// EMA is the decay of a moving average of the weights, which is then evaluated; 0 is off.
	EMA float64 `yaml:"ema"`
}

// Scale is Batch/BaseBatch: the learning rate is multiplied with it, steps and warm-up are divided by it, so that a run
// sees the same pictures (Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.1).
func (t Train) Scale() float64 { return float64(t.Batch) / float64(t.BaseBatch) }

// Infer decides which detections are reported.
type Infer struct {
	// Score is the least score of a detection.
	Score float64 `yaml:"score"`
	// Method suppresses duplicate boxes of one object: a name of nms.Kinds.
	Method string `yaml:"method"`
	// NMS is the IoU above which boxes are of one object: of two of a class, greedy drops the lower score.
	NMS float64 `yaml:"nms"`
	// TopK candidates per pyramid level go on to NMS.
	TopK int `yaml:"top_k"`
	// MaxDetections per picture; COCO's metric reads 100, torchvision gives 300.
	MaxDetections int `yaml:"max_detections"`
}

// Default is the paper's RetinaNet on ResNet-50 (Lin et al. 2017, section 5), with detectron2's choices where the
// paper is silent.
func Default() Config {
	return Config{
		Model: Model{
			Backbone: "resnet50", Norm: "frozen", FrozenStages: 2, Pyramid: "fpn", FPNWidth: 256, P6From: "c5", P7ReLU: true, HeadDepth: 4,
			Prior: .01, Anchors: anchors.Default(),
		},
		Data: Data{
			ShortSides: []int{800}, MaxSide: 1333, CanvasMultiple: 128, Flip: .5,
			// ImageNet's, as torchvision's backbones expect.
			Mean: [3]float32{.485, .456, .406}, Std: [3]float32{.229, .224, .225},
		},
		Match: Match{Kind: "iou", TopK: 9, Foreground: .5, Background: .4, LowQuality: true, CrowdIoF: .5},
		Loss: Loss{
			Kind: "focal", Params: loss.DefaultParams(), Box: "smoothl1", Beta: .1, BoxWeight: 1, Normalizer: "positives",
		},
		Train: Train{
			Batch: 16, BaseBatch: 16, Steps: 90000, Optimizer: "sgd", LR: .01, Momentum: .9, Beta1: .9, Beta2: .999, Eps: 1e-8,
			WeightDecay: 1e-4, WarmupSteps: 1000, WarmupFactor: .001,
			Schedule: "multistep", Milestones: []float64{2. / 3, 8. / 9}, Gamma: .1,
			Convolutions: "fixed", EvalEvery: 5000, CheckpointEvery: 1000, LogEvery: 20,
		},
		Infer: Infer{Score: .05, Method: "greedy", NMS: .5, TopK: 1000, MaxDetections: 100},
	}
}
