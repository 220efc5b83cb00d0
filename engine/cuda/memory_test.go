//go:build gpu && linux && amd64

package cuda_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cuda"
	"retinago/engine/cuda/kernels"
)

// Copies of all sizes around those of pinned buffers arrive, in their order, though the host writes over what it sent.
func TestCopies(t *testing.T) {
	e := start(t)
	for _, n := range []int{1, 1000, 1 << 20, 1<<20 + 1, 5 << 20} {
		v := normal(1, n)
		d, other := put(t, e, v, n), put(t, e, normal(2, n), n)
		sent := slices.Clone(v)
		must(t, e.Upload(d, sent))
		clear(sent)
		if !slices.Equal(get(t, e, d), v) {
			t.Errorf("%d values came back as others", n)
		}
		must(t, e.Memcpy(other, d))
		if !slices.Equal(get(t, e, other), v) {
			t.Errorf("%d values were copied as others", n)
		}
		must(t, e.Memset(d, float32(3)))
		e.Memclr(other)
		if !slices.Equal(get(t, e, d), like(n, 3)) || !slices.Equal(get(t, e, other), like(n, 0)) {
			t.Errorf("%d values filled", n)
		}
		e.Release(d, other)
	}
	labels := put(t, e, []int32{-2, 7}, 2)
	back := make([]int32, 2)
	must(t, e.Download(back, labels))
	if back[0] != -2 || back[1] != 7 {
		t.Errorf("labels came back as %v", back)
	}
	if err := e.Upload(labels, []float32{1, 2}); err == nil {
		t.Error("floats for labels")
	}
	if err := e.Upload(labels, []int32{1}); err == nil {
		t.Error("one label for two")
	}
}

// What does not fit is an error with the sizes, and leaves the engine whole; Close frees all.
func TestOutOfMemory(t *testing.T) {
	onHost(t)
	before := kernels.Count().Bytes
	kernels.SetCapacity(before + 8<<20)
	defer kernels.SetCapacity(1 << 30)
	e, err := cuda.New(cuda.Options{})
	must(t, err)
	_, err = e.New(tensor.Float32, 4<<20)
	if err == nil || !strings.Contains(err.Error(), "16 MB asked for") || !strings.Contains(err.Error(), "of") {
		t.Errorf("16 MB of 8: %v", err)
	}
	d, err := e.New(tensor.Float32, 1<<20)
	must(t, err)
	if v := get(t, e, d); !slices.Equal(v, like(len(v), 0)) {
		t.Error("a new tensor is not 0")
	}
	free, total, err := e.Memory()
	if err != nil || total != before+8<<20 || free != 0 { // all of it may be scratch space
		t.Errorf("%d of %d bytes are free, %v", free, total, err)
	}
	kernels.SetCapacity(1 << 30)
	if free, _, err := e.Memory(); err != nil || free < 512<<20 || free > 768<<20 {
		t.Errorf("%d bytes of 1 GB are free, %v", free, err)
	}
	must(t, e.Close())
	if after := kernels.Count().Bytes; after != before {
		t.Errorf("%d bytes are left after Close", after-before)
	}
}

// Models that were closed leave no memory of the device behind.
func TestCloseFreesModel(t *testing.T) {
	onHost(t)
	e := start(t)
	c := small(func(*config.Config) {})
	var before int64
	for i := range 4 {
		m, err := detector.New(c.Model, e, 3)
		must(t, err)
		net, err := m.Net(pictures, canvasH, canvasW)
		must(t, err)
		_, err = net.Run(normal(31, pictures*canvasH*canvasW*3))
		must(t, err)
		must(t, m.Close())
		if now := kernels.Count().Bytes; i == 0 {
			before = now
		} else if now > before {
			t.Errorf("%d bytes after %d models, %d after the first", now, i+1, before)
		}
	}
}

func TestNoSuchDevice(t *testing.T) {
	if _, err := cuda.New(cuda.Options{Device: 77}); err == nil || !strings.Contains(err.Error(), "no device 77") {
		t.Errorf("device 77: %v", err)
	}
}

// The host's device is none that Go can read: a program that does so ends, as it would with a GPU.
func TestDeviceMemoryFaults(t *testing.T) {
	onHost(t)
	const child = "RETINAGO_TEST_FAULT"
	if os.Getenv(child) != "" {
		e := start(t)
		d := put(t, e, []float32{1}, 1)
		p := d.Uintptr()
		t.Log(**(**float32)(unsafe.Pointer(&p)))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestDeviceMemoryFaults$")
	cmd.Env = append(os.Environ(), child+"=1")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "fault") {
		t.Errorf("reading device memory: %v\n%s", err, out)
	}
}
