package engine

import "gorgonia.org/tensor"

// Engine holds tensors and computes the layers of a network, their gradients and an optimiser's steps. These methods are all that an
// engine must have: what Supports denies is computed by others. Activations are N,H,W,C; convolution weights are O,I,R,S. Every kernel
// writes the whole of its first argument, which never overlaps its inputs (but see ResidualInPlace), and returns when the result is
// ready to be read by another kernel. Data are float32 unless said otherwise.
//
// Shapes are checked by the graph operations, not here. An Engine is used by one goroutine at a time.
type Engine interface {
	tensor.Engine
	tensor.Adder // gorgonia's sums of gradients, see BeginRun

	// Supports reports whether the engine has an optional operation or feature.
	Supports(op Op) bool

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

	// Wait returns when all work is done, with the error of work that failed. Kernels of an engine that is not Async are done when they
	// return.
	Wait() error
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

	// SumSquares returns the sum of x*x over all elements of xs in float64: NaN or Inf when any is not finite.
	SumSquares(xs ...*tensor.Dense) (float64, error)
	// SGD: g' = scale*g + decay*w; m = momentum*m + g'; w -= lr * (nesterov ? g' + momentum*m : m). (PyTorch's form.)
	SGD(w, m, g *tensor.Dense, p SGDParams) error
	// Adam: Kingma and Ba 2015, algorithm 1; p.Decoupled makes it AdamW (Loshchilov and Hutter 2019, algorithm 2).
	Adam(w, m, v, g *tensor.Dense, p AdamParams) error
	// Lerp: w += t * (x - w), for moving averages.
	Lerp(w, x *tensor.Dense, t float32) error
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

// SGDParams configures one step of stochastic gradient descent. Scale multiplies the gradient (clipping).
type SGDParams struct {
	LR, Momentum, Decay, Scale float32
	Nesterov                   bool
}
