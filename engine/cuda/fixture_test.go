//go:build gpu && linux && amd64

package cuda_test

import (
	"cmp"
	"errors"
	"iter"
	"os"
	"strconv"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/engine/cuda"
	"retinago/engine/cuda/driver"
	"retinago/engine/cuda/kernels"
	"retinago/engine/enginetest"
	"retinago/train"
)

// realGPU names the variable with the number of a GPU, on which tests then run instead of on the host's device.
const realGPU = "RETINAGO_TEST_GPU"

func realDevice() bool { return os.Getenv(realGPU) != "" }

// gpuNumber is the device's, 0 of the host's.
func gpuNumber() string { return cmp.Or(os.Getenv(realGPU), "0") }

// closeness is what kernels may differ by: NVIDIA's libraries may take algorithms that round more, such as Winograd's.
func closeness() float64 {
	if realDevice() {
		return 1e-4
	}
	return 1e-5
}

// blocks sets the sizes of blocks that kernels are tested with on the host's device: one thread, and several that meet at every
// barrier. A GPU has its own.
func blocks() iter.Seq[int] {
	return func(yield func(threads int) bool) {
		defer kernels.SetThreads(1)
		for _, threads := range []int{1, 8} {
			if threads > 1 && realDevice() {
				return
			}
			kernels.SetThreads(threads)
			if !yield(threads) {
				return
			}
		}
	}
}

func TestMain(m *testing.M) {
	if !realDevice() {
		if err := driver.Replace(kernels.Driver()); err != nil {
			panic(err)
		}
		if err := errors.Join(cuda.ReplaceCuDNN(kernels.CuDNN()), cuda.ReplaceCuBLASLt(kernels.CuBLASLt())); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func onHost(t testing.TB) {
	t.Helper()
	if realDevice() {
		t.Skip("is of the host's device")
	}
}

func start(t testing.TB) *cuda.Engine { return startAs(t, engine.Float32) }

func startAs(t testing.TB, p engine.Precision) *cuda.Engine {
	t.Helper()
	n, err := strconv.Atoi(gpuNumber())
	must(t, err)
	e, err := cuda.New(cuda.Options{Device: n, Precision: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, e.Close()) })
	return e
}

// stepper is a model, which the caller closes, and what trains it.
func stepper(t *testing.T, e *cuda.Engine, c config.Config) (*detector.Model, *train.Stepper) {
	t.Helper()
	m, err := detector.New(c.Model, e, 3)
	must(t, err)
	s, err := train.NewStepper(m, c)
	must(t, err)
	return m, s
}

// The suite's fixture.
var (
	put, get, must = enginetest.Put, enginetest.Get, enginetest.Must
	normal, like   = enginetest.Drawn, enginetest.Filled
	far            = enginetest.Apart
)

func startCPU(t testing.TB) *cpu.Engine {
	t.Helper()
	e, err := cpu.New(cpu.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, e.Close()) })
	return e
}

// near compares with what the CPU engine gave.
func near(t testing.TB, name string, got, want []float32, tolerance float64) {
	t.Helper()
	if d, i := far(got, want); d > tolerance {
		t.Errorf("%s: value %d of %d is %g, the CPU engine has %g: %.2g of the root mean square", name, i, len(want), got[i], want[i], d)
	}
}
