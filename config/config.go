package config

import (
	"path/filepath"

	"retinago/anchors"
	"retinago/loss"
)

// Config is a whole configuration. The yaml tag of a field is its key.
type Config struct {
	Model Model `yaml:"model"`
	Data  Data  `yaml:"data"`
	Match Match `yaml:"match"`
	Loss  Loss  `yaml:"loss"`
	Train Train `yaml:"train"`
	Infer Infer `yaml:"infer"`
}

// Model describes the network. A checkpoint can only be loaded into the Model it was trained with.
type Model struct {
	// Backbone is the network below the pyramid: a name of backbone.Kinds.
	Backbone string `yaml:"backbone"`
	// BackboneWidth is the number of channels of the backbone's stem, a multiple of 8; 0 takes the paper's. A narrower backbone is faster.
	BackboneWidth int `yaml:"backbone_width"`
	// StrideIn1x1 puts the stride of a bottleneck on its first 1x1 convolution (He et al. 2016; detectron2's MSRA weights)
	// instead of its 3x3 convolution (torchvision).
	StrideIn1x1 bool `yaml:"stride_in_1x1"`
	// LeakySlope is the slope below 0 of mobilenet_v1's activations: 0 in the paper, .1 in RetinaFace's weights.
	LeakySlope float64 `yaml:"leaky_slope"`
	// Norm is the normalization in the backbone: frozen (stored statistics, never trained), batch (running statistics) or group.
	Norm string `yaml:"norm"`
	// FrozenStages is the number of first stages that are not trained: 0 trains all, 1 freezes the stem, 2 also the blocks at
	// stride 4, and 5 the whole backbone.
	FrozenStages int `yaml:"frozen_stages"`
	// Pyramid is fpn, or pafpn, which adds a second, bottom-up path (Liu et al. 2018).
	Pyramid string `yaml:"pyramid"`
	// P2 adds the level P2, at stride 4, for small objects. The anchors then need one more stride and one more size.
	P2 bool `yaml:"p2"`
	// FPNWidth is the number of channels of every pyramid level and of the heads.
	FPNWidth int `yaml:"fpn_width"`
	// P6From is the map from which P6 is computed: c5 (paper, detectron2) or p5 (torchvision's first RetinaNet).
	P6From string `yaml:"p6_from"`
	// P7ReLU applies a ReLU between P6 and P7, as the paper, torchvision and detectron2 do; mmdetection does not.
	P7ReLU bool `yaml:"p7_relu"`
	// HeadDepth is the number of hidden convolutions in each head, without the last convolution; the paper has 4.
	HeadDepth int `yaml:"head_depth"`
	// HeadNorm is the normalization after each hidden convolution of the heads: empty for none, or group.
	HeadNorm string `yaml:"head_norm"`
	// HeadActivation is the activation after each hidden convolution of the heads: empty for relu, or a name of engine.Activations.
	HeadActivation string `yaml:"head_activation,omitempty"`
	// Background adds a logit for the background to the class head. The loss softmax needs it; other losses do not allow it.
	Background bool `yaml:"background"`
	// Prior is the probability of an object that the class head predicts before training, pi in the paper.
	Prior float64 `yaml:"prior"`
	// Anchors are the reference boxes. Their sizes are in px of the resized image.
	Anchors anchors.Config `yaml:"anchors"`
	// Classes are the class names in the order of the network's outputs; empty takes the training set's categories.
	Classes []string `yaml:"classes,flow"`
	// CategoryIDs are the dataset's category ids of Classes, in the same order; empty takes the training set's ids.
	CategoryIDs []int64 `yaml:"category_ids,flow"`
}

// Data names the datasets and describes how images are prepared.
type Data struct {
	// Root is the folder of relative paths in Train and Val; empty is the current folder.
	Root string `yaml:"root"`
	// Train is the training set.
	Train Set `yaml:"train"`
	// Val is the validation set.
	Val Set `yaml:"val"`
	// ValShare is the share of the training images that is held out for validation if Val names no dataset; 0 holds out none.
	ValShare float64 `yaml:"val_share"`
	// ValSeed is the seed of the draw of the images that are held out.
	ValSeed uint64 `yaml:"val_seed"`
	// Classes are the names of the classes to learn, after Rename; an empty list stands for all classes. Objects of other classes are left
	// out. An image whose objects are all left out is background.
	Classes []string `yaml:"classes,flow"`
	// Rename gives classes new names, each as OLD=NEW. Classes that get the same name become one class.
	Rename []string `yaml:"rename,flow"`
	// ShortSides are lengths of the short side in px after resizing. Training draws one per batch; evaluation and detection use
	// the last.
	ShortSides []int `yaml:"short_sides,flow"`
	// MaxSide is the upper bound of the long side in px after resizing.
	MaxSide int `yaml:"max_side"`
	// CanvasMultiple is a multiple of 32 px; the sides of canvases are multiples of it. With multiples of 128 every pyramid level
	// divides the canvas evenly.
	CanvasMultiple int `yaml:"canvas_multiple"`
	// FastDecode decodes a JPEG at 1/2, 1/4 or 1/8 of its size if it is scaled down by at least as much. This is faster, but the
	// pixels differ from those of torchvision and OpenCV. By default inference uses the setting with which the model was trained.
	FastDecode bool `yaml:"fast_decode"`
	// Sampler is the rule by which the images of an epoch are drawn: a name of data.Samplers.
	Sampler string `yaml:"sampler"`
	// RepeatThreshold is the share of images with a class below which the sampler repeat_factor repeats them.
	RepeatThreshold float64 `yaml:"repeat_threshold"`
	// Flip is the probability of mirroring a training image horizontally.
	Flip float64 `yaml:"flip"`
	// Augment varies training images: a preset (none, light, ssd, lsj, strong), or a list of presets and policies; docs/data.md lists them.
	Augment Augment `yaml:"augment,omitempty"`
	// MinVisible is the share of its area that an object must keep where a policy of Augment cuts or covers it. An object that keeps less is
	// not learned.
	MinVisible float64 `yaml:"min_visible"`
	// Mean is subtracted per channel (R, G, B) from pixels in [0,1].
	Mean [3]float32 `yaml:"mean,flow"`
	// Std divides the difference per channel (R, G, B).
	Std [3]float32 `yaml:"std,flow"`
	// Workers is the number of goroutines that prepare images; 0 takes one per core.
	Workers int `yaml:"workers"`
}

// Path returns a relative path below Root; empty and absolute paths are returned unchanged.
func (d Data) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(d.Root, p)
}

// TestSide returns the short side in px at evaluation and detection.
func (d Data) TestSide() int { return d.ShortSides[len(d.ShortSides)-1] }

// Set is a dataset; package convert documents the formats.
type Set struct {
	// Source is a COCO JSON file, the folder of a Pascal VOC dataset, a YOLO data.yaml, or a CSV file of keras-retinanet or OpenImages.
	Source string `yaml:"source"`
	// Format is coco, voc, yolo, csv or openimages; empty derives it from Source.
	Format string `yaml:"format"`
	// Images is the folder of the images; empty takes the folder that the format defines.
	Images string `yaml:"images"`
	// Split is the part to read: a list in VOC's ImageSets/Main, a key of data.yaml, a file of ids beside OpenImages' CSV, or a value in
	// the column split of a CSV.
	Split string `yaml:"split"`
	// Classes is a CSV file that lists the classes: class,number, or OpenImages' LabelName,DisplayName.
	Classes string `yaml:"classes"`
	// Difficult is the treatment of VOC's difficult objects: crowd ignores them in training and evaluation, keep treats them like
	// other objects, drop removes them; empty is crowd.
	Difficult string `yaml:"difficult"`
}

// Match assigns objects to anchors for training.
type Match struct {
	// Kind is the assigner: a name of anchors.Kinds.
	Kind string `yaml:"kind"`
	// TopK is the number of cells per level whose anchors are candidates of atss. Only atss reads it.
	TopK int `yaml:"top_k"`
	// Foreground is the lowest IoU of a positive anchor. Only iou reads it.
	Foreground float64 `yaml:"foreground"`
	// Background is the IoU below which an anchor is background. Anchors between it and Foreground are ignored. Only iou reads it.
	Background float64 `yaml:"background"`
	// LowQuality assigns each object to the anchors with the highest IoU, even if that is below Foreground. Only iou reads it.
	LowQuality bool `yaml:"low_quality"`
	// CrowdIoF is the share of an anchor's area inside a crowd region from which on a background anchor is ignored; above 1 ignores none.
	CrowdIoF float64 `yaml:"crowd_iof"`
}

// Assigner returns the assigner of a validated configuration whose cells have perCell anchors.
func (m Match) Assigner(perCell int) anchors.Assigner {
	kind, err := anchors.Find(m.Kind)
	if err != nil {
		panic("config: " + err.Error())
	}
	return kind.New(anchors.Params{TopK: m.TopK, PerCell: perCell, Foreground: float32(m.Foreground), Background: float32(m.Background),
		LowQuality: m.LowQuality, CrowdIoF: float32(m.CrowdIoF)})
}

// Loss is the function that training minimises: (class loss + BoxWeight * box loss) / Normalizer.
type Loss struct {
	// Kind is the class loss: a name of loss.Kinds, which lists the settings of each loss.
	Kind        string `yaml:"kind"`
	loss.Params `yaml:",inline"`
	// Box is the box loss: a name of loss.BoxKinds.
	Box string `yaml:"box"`
	// Beta is the absolute difference below which smoothl1 is quadratic.
	Beta float64 `yaml:"beta"`
	// BoxWeight multiplies the box loss.
	BoxWeight float64 `yaml:"box_weight"`
	// Normalizer is the divisor of both losses: a name of loss.Normalizers.
	Normalizer string `yaml:"normalizer"`
}

// Train describes the optimisation. LR, Steps and WarmupSteps are for BaseBatch images per step and are scaled to Batch.
type Train struct {
	// Batch is the number of images per step.
	Batch int `yaml:"batch"`
	// BaseBatch is the number of images per step for which LR, Steps and WarmupSteps were chosen.
	BaseBatch int `yaml:"base_batch"`
	// Epochs is the length of a run in passes over the training set, if Steps and Minutes are 0. A file or an override that sets one of the
	// three sets the others to 0.
	Epochs int `yaml:"epochs"`
	// Steps is the length of a run in steps of BaseBatch images, if Epochs and Minutes are 0.
	Steps int `yaml:"steps"`
	// Optimizer is sgd, adam or adamw.
	Optimizer string `yaml:"optimizer"`
	// LR is the learning rate after the warm-up.
	LR float64 `yaml:"lr"`
	// Momentum is the momentum of sgd: the share of the previous update that is kept at each step.
	Momentum float64 `yaml:"momentum"`
	// Nesterov selects Nesterov momentum for sgd.
	Nesterov bool `yaml:"nesterov"`
	// Beta1 is the decay of Adam's moving average of the gradients.
	Beta1 float64 `yaml:"beta1"`
	// Beta2 is the decay of Adam's moving average of the squared gradients.
	Beta2 float64 `yaml:"beta2"`
	// Eps is added to Adam's divisor, the square root of the average of squared gradients.
	Eps float64 `yaml:"eps"`
	// WeightDecay is the factor of weight decay. sgd and adam add WeightDecay times the weights to the gradients; adamw subtracts
	// the learning rate times that from the weights.
	WeightDecay float64 `yaml:"weight_decay"`
	// DecayNormBias applies WeightDecay to the parameters of norms and to biases too.
	DecayNormBias bool `yaml:"decay_norm_bias"`
	// WarmupSteps is the number of first steps, in which the learning rate rises linearly from WarmupFactor*LR to LR.
	WarmupSteps int `yaml:"warmup_steps"`
	// WarmupFactor is the share of LR at which the warm-up begins.
	WarmupFactor float64 `yaml:"warmup_factor"`
	// Schedule is the course of the learning rate after the warm-up: multistep (multiplied by Gamma at each of Milestones), cosine (falls
	// to 0), cosine_restarts (falls to 0 in each of Cycles), one_cycle (rises once and falls once) or constant.
	Schedule string `yaml:"schedule"`
	// Milestones are shares of the whole run in (0,1), in rising order.
	Milestones []float64 `yaml:"milestones,flow"`
	// Gamma multiplies the learning rate at each milestone.
	Gamma float64 `yaml:"gamma"`
	// Cycles is the number of times that the learning rate of cosine_restarts starts at LR.
	Cycles int `yaml:"cycles"`
	// CycleGrowth is the length of a cycle of cosine_restarts, divided by the length of the cycle before it.
	CycleGrowth float64 `yaml:"cycle_growth"`
	// Rise is the share of the run in which the learning rate of one_cycle rises.
	Rise float64 `yaml:"rise"`
	// RiseFrom is the share of LR at which one_cycle begins.
	RiseFrom float64 `yaml:"rise_from"`
	// FallTo is the share of LR at which one_cycle ends.
	FallTo float64 `yaml:"fall_to"`
	// AugmentUntil is the share of the run after which the policies mosaic, mosaic9 and mixup of data.augment end.
	AugmentUntil float64 `yaml:"augment_until"`
	// ClipNorm is the upper bound of the norm of all gradients together; 0 is unbounded.
	ClipNorm float64 `yaml:"clip_norm"`
	// Seed determines the initial weights, the order of the images, their flips and what the policies of data.augment draw.
	Seed uint64 `yaml:"seed"`
	// Threads is the number of compute threads; 0 takes one per core, or fewer if a CPU quota of the control group is lower.
	Threads int `yaml:"threads"`
	// Convolutions selects the kernels of 3x3 convolutions: fixed (by a rule on shapes), measured (the faster on this machine),
	// onednn or winograd. They round differently: two runs agree to the bit only with the same kernels, which fixed guarantees.
	Convolutions string `yaml:"convolutions"`
	// RecomputeHeads computes the layers of the heads again in the backward pass instead of keeping their outputs. The results are
	// the same; it takes less memory and more time.
	RecomputeHeads bool `yaml:"recompute_heads"`
	// EvalEvery is the number of steps between two evaluations; 0 evaluates only at the end.
	EvalEvery int `yaml:"eval_every"`
	// CheckpointEvery is the number of steps between two checkpoints; 0 saves only at the end.
	CheckpointEvery int `yaml:"checkpoint_every"`
	// LogEvery is the number of steps between two lines of the log; 0 writes only one, at the end.
	LogEvery int `yaml:"log_every"`
	// InitWeights is a file of initial weights, safetensors or PyTorch's .pth, with a backbone or a whole model. Empty draws random
	// weights.
	InitWeights string `yaml:"init_weights"`
	// EMA is the decay of an exponential moving average of the weights, which evaluation and checkpoints use; 0 disables it.
	EMA float64 `yaml:"ema"`
	// EMAWarmup is the steps in which the decay of the average rises: it is EMA*(1-exp(-step/EMAWarmup)), so that the average follows the
	// weights while they change much; 0 is EMA from the first step on.
	EMAWarmup int `yaml:"ema_warmup"`
	// Groups train parameters apart from the others. Each is a pattern of names and one or more of lr=FACTOR, decay=FACTOR and freeze:
	// "backbone.* lr=0.1" or "head.regression_head.* freeze". Of several that fit a name, the last holds.
	Groups []string `yaml:"groups,flow"`
	// LayerDecay is a factor on the learning rate of each stage of the backbone, once for every stage from it to the pyramid: with .8 the last
	// stage has .8 times the rate, the first .8 to the power of 5.
	LayerDecay float64 `yaml:"layer_decay"`
	// Accumulate is the parts that a batch is computed in, one after the other, in the memory of one part. Batch norms of kind batch and
	// the losses ohem, ghmc, efl, eqlv2 and seesaw see a part; all else is as with the whole batch, but for rounding.
	Accumulate int `yaml:"accumulate"`
	// Minutes is the length of a run, evaluations included, instead of Epochs and Steps: after 20 steps, the time that they took decides how
	// many steps there are. A run that resumes keeps their number.
	Minutes float64 `yaml:"minutes"`
}

// Scale returns Batch/BaseBatch. The learning rate is multiplied by it, steps and warm-up are divided by it, so that a run
// takes the same number of images (Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.1).
func (t Train) Scale() float64 { return float64(t.Batch) / float64(t.BaseBatch) }

// Infer selects the detections that are reported.
type Infer struct {
	// Score is the lowest score of a detection.
	Score float64 `yaml:"score"`
	// Method suppresses duplicate boxes of one object: a name of nms.Kinds.
	Method string `yaml:"method"`
	// NMS is the IoU above which two boxes of a class count as one object; greedy then drops the box with the lower score.
	NMS float64 `yaml:"nms"`
	// TopK is the number of candidates per pyramid level before NMS.
	TopK int `yaml:"top_k"`
	// MaxDetections is the largest number of detections per image. COCO's metric reads 100; torchvision returns up to 300.
	MaxDetections int `yaml:"max_detections"`
}

// Default returns the paper's RetinaNet on ResNet-50 (Lin et al. 2017, section 5), with detectron2's choices where the
// paper is silent.
func Default() Config {
	return Config{
		Model: Model{
			Backbone: "resnet50", Norm: "frozen", FrozenStages: 2, Pyramid: "fpn", FPNWidth: 256, P6From: "c5", P7ReLU: true, HeadDepth: 4,
			Prior: .01, Anchors: anchors.Default(),
		},
		Data: Data{
			ShortSides: []int{800}, MaxSide: 1333, CanvasMultiple: 128, Sampler: "uniform", RepeatThreshold: .001, Flip: .5, MinVisible: .25,
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
			Schedule: "multistep", Milestones: []float64{2. / 3, 8. / 9}, Gamma: .1, AugmentUntil: .9,
			Cycles: 3, CycleGrowth: 1, Rise: .3, RiseFrom: .04, FallTo: 4e-6, LayerDecay: 1, Accumulate: 1,
			Convolutions: "fixed", EvalEvery: 5000, CheckpointEvery: 1000, LogEvery: 20,
		},
		Infer: Infer{Score: .05, Method: "greedy", NMS: .5, TopK: 1000, MaxDetections: 100},
	}
}
