package engine

import (
	"errors"

	"gorgonia.org/tensor"
)

// Engine holds tensors and computes the detector's kernels on them. Activations are N,H,W,C; convolution
// weights are O,I,R,S. Every kernel writes the whole of its first argument, which never overlaps its inputs (but see ResidualInPlace),
// and returns when the result is ready to be read by another kernel. Data are float32 unless said otherwise.
//
// Shapes are checked by the graph operations, not here. An Engine is used by one goroutine at a time.
type Engine interface {
	tensor.Engine

	Name() string
	Threads() int

	// New returns a zeroed tensor that lives on this engine.
	New(dt tensor.Dtype, shape ...int) (*tensor.Dense, error)
	// Release frees the memory of tensors made by New, which must not be used afterwards. nil is skipped.
	Release(t ...*tensor.Dense)
	// At returns a tensor laid over mem at a byte offset (64-byte aligned); it is not zeroed.
	At(mem tensor.Memory, offset int64, dt tensor.Dtype, shape ...int) *tensor.Dense
	// Upload and Download copy between host slices ([]float32 or []int32) and tensors of the same size and type. Several
	// goroutines may call them at once, for different tensors.
	Upload(dst *tensor.Dense, src any) error
	Download(dst any, src *tensor.Dense) error

	// BeginRun names the outputs of the graph's own additions (gradient accumulation), in the order in which
	// they will run: gorgonia's Add has no place of its own to write to. A sum that lies where both of its operands do was made by
	// ConvWeightsAll, and is left as it is.
	BeginRun(sums []*tensor.Dense)
	// WeightsChanged invalidates the packed copies of weights. Call it after parameters were written.
	WeightsChanged()
	// CacheBytes is the memory held by packed weights and scratch space.
	CacheBytes() int64

	// Conv: y [N,OH,OW,K] = act(x [N,H,W,C] * (scale [K] . w [K,C/G,R,S]) + b [K] + res [N,OH,OW,K]). scale multiplies
	// the rows of w, where a frozen norm costs nothing per pixel. scale, b and res may be nil. ReLU of NaN is NaN or 0.
	Conv(y, x, w, scale, b, res *tensor.Dense, p ConvParams) error
	// ConvData: dx [N,H,W,C] from dy [N,OH,OW,K] and scale . w. The activation is ignored.
	ConvData(dx, dy, w, scale *tensor.Dense, p ConvParams) error
	// ConvWeights: dw [K,C/G,R,S] from dy and x, the gradient by w before its scale. The activation is ignored.
	ConvWeights(dw, dy, x, scale *tensor.Dense, p ConvParams) error
	// BiasGrad: db [C] = the sum of dy [...,C] over all leading axes.
	BiasGrad(db, dy *tensor.Dense) error

	// Activate: y = a(x); a is not None.
	Activate(y, x *tensor.Dense, a Activation) error
	// ActivateGrad: dx from dy and v, which is y where a.ByOutput, else x.
	ActivateGrad(dx, dy, v *tensor.Dense, a Activation) error
	// Sum: y = act(a+b), for a Plain activation.
	Sum(y, a, b *tensor.Dense, act Activation) error

	// MaxPool: padding never wins. MaxPoolGrad sends dy to the first maximum of each window (rows first).
	MaxPool(y, x *tensor.Dense, p PoolParams) error
	MaxPoolGrad(dx, dy, x, y *tensor.Dense, p PoolParams) error
	// UpsampleAdd: y [N,H,W,C] = lateral [N,H,W,C] + top [N,h,w,C] read at (floor(i*h/H), floor(j*w/W)).
	UpsampleAdd(y, top, lateral *tensor.Dense) error
	// UpsampleGrad: dtop [N,h,w,C] = the sum of dy [N,H,W,C] over the pixels that read it.
	UpsampleGrad(dtop, dy *tensor.Dense) error

	// BatchNorm normalises each channel of x over N,H,W with the batch's statistics, which it writes to
	// stats [2,C] (mean, 1/sqrt(var+eps)), and moves running mean and (unbiased) variance [C] by momentum.
	BatchNorm(y, stats, runMean, runVar, x, gamma, beta *tensor.Dense, p NormParams) error
	// GroupNorm normalises groups of C/p.Groups channels of each image; stats is [2,N,Groups].
	GroupNorm(y, stats, x, gamma, beta *tensor.Dense, p NormParams) error
	// BatchNormParamGrad and GroupNormParamGrad: dp [2,C] = (dgamma, dbeta). With a ReLU, dy counts where y > 0.
	BatchNormParamGrad(dp, dy, y, x, stats *tensor.Dense, p NormParams) error
	GroupNormParamGrad(dp, dy, y, x, stats *tensor.Dense, p NormParams) error
	// BatchNormGrad: dx from dy, dp of BatchNormParamGrad, and what the forward pass read and saved.
	BatchNormGrad(dx, dy, y, x, gamma, stats, dp *tensor.Dense, p NormParams) error
	GroupNormGrad(dx, dy, y, x, gamma, stats *tensor.Dense, p NormParams) error

	// Fold: scale [C] = gamma/sqrt(variance+eps), shift [C] = beta - mean*scale, all [C]: a norm with fixed statistics.
	Fold(scale, shift, gamma, beta, mean, variance *tensor.Dense, eps float32) error

	// FocalLoss: loss [1] = sum over n of norm[n] times the focal loss of logits [N,...] seen as [N,A,K], with
	// labels [N,A] int32: a class in [0,K), -1 background, -2 ignored.
	FocalLoss(loss, logits, labels, norm *tensor.Dense, p FocalParams) error
	// FocalLossGrad: dlogits = up[0] times the gradient.
	FocalLossGrad(dlogits, logits, labels, norm, up *tensor.Dense, p FocalParams) error
	// BoxLoss: loss [1] = sum over n of norm[n] times the regression loss between deltas [N,...] seen as [N,A,4]
	// and targets [N,A,4], over anchors whose label is a class.
	BoxLoss(loss, deltas, targets, labels, norm *tensor.Dense, p BoxLossParams) error
	BoxLossGrad(ddeltas, deltas, targets, labels, norm, up *tensor.Dense, p BoxLossParams) error

	// SumSquares returns the sum of x*x over all elements of xs in float64: NaN or Inf when any is not finite.
	SumSquares(xs ...*tensor.Dense) (float64, error)
	// SGD: g' = scale*g + decay*w; m = momentum*m + g'; w -= lr * (nesterov ? g' + momentum*m : m). (PyTorch's form.)
	SGD(w, m, g *tensor.Dense, p SGDParams) error
	// Adam: Kingma and Ba 2015, algorithm 1; p.Decoupled makes it AdamW (Loshchilov and Hutter 2019, algorithm 2).
	Adam(w, m, v, g *tensor.Dense, p AdamParams) error
	// Lerp: w += t * (x - w), for moving averages.
	Lerp(w, x *tensor.Dense, t float32) error
}

// Async is an engine whose kernels return before they are done. Kernels run in the order of their calls; Download and SumSquares
// wait for them.
type Async interface {
	// Wait returns when all work is done, with the error of work that failed.
	Wait() error
}

// ResidualInPlace is an engine whose Conv takes the same tensor as y and res, too.
type ResidualInPlace interface{ SumsInPlace() }

// BatchedConv is an engine that computes the convolutions of several maps with the same weights at once, for less than one by one. All
// maps have the same channels. Otherwise these are Conv without a residual, ConvData and ConvWeights.
type BatchedConv interface {
	// Batches reports whether there is such a gain for convolutions with weights of a shape.
	Batches(w tensor.Shape, p ConvParams) bool
	ConvAll(y, x []*tensor.Dense, w, scale, b *tensor.Dense, p ConvParams) error
	ConvDataAll(dx, dy []*tensor.Dense, w, scale *tensor.Dense, p ConvParams) error
	// ConvWeightsAll writes the sum of the maps' gradients.
	ConvWeightsAll(dw *tensor.Dense, dy, x []*tensor.Dense, scale *tensor.Dense, p ConvParams) error
}

// HostMemory is an engine whose tensors the host reads where they lie.
type HostMemory interface {
	// Floats are the values of a float32 tensor.
	Floats(t *tensor.Dense) []float32
}

// Planning is an engine whose tensors take no memory: graphs are planned on it, and nothing runs.
type Planning interface{ Planning() }

// Limited is an engine with memory of its own, beside the host's.
type Limited interface {
	// Memory returns the bytes that are free for tensors, and all.
	Memory() (free, total int64, err error)
	// Held is the bytes that the engine holds.
	Held() int64
}

// ErrMemory is in the error of what does not fit into the memory of a Limited, or into the host's for an engine that computes there.
var ErrMemory = errors.New("out of memory")

// Peak is a rate that an engine's processor reaches at most.
type Peak struct {
	Name  string  `json:"name"` // what was computed
	FLOPS float64 `json:"flop_per_s"`
}

// PeakMeter is an engine that measures its processor.
type PeakMeter interface {
	// Peaks measures what the processor reaches at most.
	Peaks() ([]Peak, error)
	// PeakBytes is the most memory that the engine held at once until now.
	PeakBytes() int64
}

// ConvParams describes a convolution. Zero Groups means 1.
type ConvParams struct {
	Stride, Pad int
	Groups      int
	Activation  Activation // a Fused one
}

// PoolParams describes a square pooling window.
type PoolParams struct{ Kernel, Stride, Pad int }

// NormParams describes a normalisation. Groups is read by GroupNorm, Momentum by BatchNorm.
type NormParams struct {
	Eps      float32
	Momentum float32
	Groups   int
	// Activation is Plain.
	Activation Activation
}

// FocalParams describes a class loss of one binary task per logit: focal loss (Lin et al. 2017, eq. 5) or another function of
// engine/formula. A negative Alpha disables weighting; Gamma 0 of the focal loss is cross entropy.
type FocalParams struct {
	Alpha, Gamma float32
	Formula      string  // the function's name; empty is "focal"
	Beta         float32 // the function's second number; the focal loss has none
}

// BoxLossParams: smooth-L1 (Girshick 2015, eq. 3, with the quadratic part below Beta). Beta = 0 is L1.
type BoxLossParams struct{ Beta float32 }

// SGDParams configures one step of stochastic gradient descent. Scale multiplies the gradient (clipping).
type SGDParams struct {
	LR, Momentum, Decay, Scale float32
	Nesterov                   bool
}

// AdamParams configures one step of Adam. Step counts from 1.
type AdamParams struct {
	LR, Beta1, Beta2, Eps, Decay, Scale float32
	Step                                int
	Decoupled                           bool
}
