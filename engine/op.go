package engine

import (
	"fmt"
	"reflect"
)

// Op is what Engine.Supports is asked for: a Feature, or an operation with the parameters on which it depends. Feature names the
// interface of each feature; those of operations are
//
//	FocalParams, BoxLossParams   LevelLosses
//	IoUKind                      IoULosses
//	ClassParams                  ClassLosses
//	MiningParams                 HardNegativeMining
//	Matching                     Matcher
//	Detection                    DetectionMaker
//	Preparation                  Preparer
//
// These are the detector's own kernels. All have a form on the host, which needs no more of an engine than Upload and Download: the
// losses in nn/lossnode, matching and detections in detector, images in internal/media/picture.
type Op interface{ optional() }

// Feature is a property of an engine, or an interface of operations that it has beside Engine's.
type Feature int

const (
	Async           Feature = iota // kernels return before they are done, and run in the order of their calls; Download and SumSquares wait for them
	ResidualInPlace                // Conv takes the same tensor as y and res, too
	PlanOnly                       // tensors take no memory: graphs are planned, and nothing runs
	HostReadable                   // HostMemory; elsewhere tensors are downloaded
	OwnMemory                      // Limited; elsewhere tensors take the host's memory
	HalfPrecision                  // Mixed; elsewhere everything is float32
	BatchedMaps                    // BatchedConv; elsewhere maps are convolved one by one
	EightBit                       // Int8; other engines refuse networks in 8 bits
	Repeats                        // Recorder; elsewhere work is given anew each time
	QueuedSteps                    // FusedOptimizer; elsewhere the host decides about each step, by SumSquares, SGD, Adam and Lerp
	PeakRates                      // PeakMeter
)

// Matching asks for a Matcher of anchors on so many levels.
type Matching struct {
	MatchParams
	Levels int
}

// Detection asks for a DetectionMaker of outputs on so many levels.
type Detection struct{ Levels int }

// Preparation asks for a Preparer.
type Preparation struct{}

func (Feature) optional()       {}
func (FocalParams) optional()   {}
func (BoxLossParams) optional() {}
func (IoUKind) optional()       {}
func (ClassParams) optional()   {}
func (MiningParams) optional()  {}
func (Matching) optional()      {}
func (Detection) optional()     {}
func (Preparation) optional()   {}

// As returns e as T, the interface of op, and whether e supports op. It panics where an engine supports op without the methods, as a type
// may that embeds an Engine: such a type must answer Supports itself.
func As[T any](e Engine, op Op) (t T, ok bool) {
	if !e.Supports(op) {
		return t, false
	}
	if t, ok = e.(T); !ok {
		panic(fmt.Sprintf("engine: %s supports %T %v without the methods of %v", e.Name(), op, op, reflect.TypeFor[T]()))
	}
	return t, true
}
