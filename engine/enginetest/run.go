// Package enginetest is the conformance suite of package engine: what every engine must compute, with numbers made by hand, by plain
// loops in float64 and by central differences.
package enginetest

import (
	"testing"

	"retinago/engine"
)

// Open returns a fresh engine, which it closes when the test ends.
type Open func(t testing.TB) engine.Engine

// conformance is a test of one operation.
type conformance struct {
	name string
	test func(t *testing.T, open Open)
}

// suite is what every engine must pass.
var suite = []conformance{
	{"Upload", uploadMismatch},
	{"New", newIsZero},
	{"At", at},
	{"ReLU", relu},
	{"Activations", activations},
	{"MaxPool", maxPool},
	{"Upsample", upsample},
	{"BiasGrad", biasGrad},
	{"Add", sumOfGradients},
	{"Norms", norms},
	{"Optimizers", optimizers},
	{"SumSquares", sumSquares},
	{"Supports", supports},
	{"FocalLoss", focalLoss},
	{"FocalFarLogits", focalFarLogits},
	{"FocalNaN", focalNaN},
}

// suiteConv is suite's part about convolutions.
var suiteConv = []conformance{
	{"Conv", convolutions},
	{"NaN", convolutionOfNaN},
	{"WeightsChanged", weightsChanged},
	{"Repeats", repeatedConvolutions},
	{"Packed", packedGoesWithWeights},
	{"PackedIsFreed", packedIsFreed},
}

// suite8 is what engines that compute in 8 bits must pass, too.
var suite8 = []conformance{
	{"Quantize", quantize},
	{"ConvInt8", int8Convolutions},
	{"LookupInt8", int8Lookup},
	{"MaxPoolInt8", int8MaxPool},
	{"UpsampleInt8", int8Upsample},
}

// Run tests the engines that open returns in every operation of the core, and in those of others that they support.
func Run(t *testing.T, open Open) {
	run(t, open, suite)
	Convolutions(t, open)
	if open(t).Supports(engine.EightBit) {
		Int8(t, open)
	}
}

// Convolutions tests convolutions in float32 alone.
func Convolutions(t *testing.T, open Open) { run(t, open, suiteConv) }

// Int8 tests what engines compute in 8 bits.
func Int8(t *testing.T, open Open) { run(t, open, suite8) }

func run(t *testing.T, open Open, tests []conformance) {
	for _, s := range tests {
		t.Run(s.name, func(t *testing.T) { s.test(t, open) })
	}
}
