//go:build opencv

package onnx

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"testing"
	"unsafe"

	"gocv.io/x/gocv"
)

// OpenCV's DNN gives what this project gives on models of a fixed canvas.
func TestOpenCV(t *testing.T) {
	for name, change := range everyModel() {
		for _, kind := range []string{Raw, Boxes} {
			t.Run(name+" "+kind, func(t *testing.T) {
				const h, w = 128, 192
				m, info := newModel(t, change)
				path := filepath.Join(t.TempDir(), "m.onnx")
				if _, err := Export(m, info, path, Options{H: h, W: w, Outputs: kind}); err != nil {
					t.Fatal(err)
				}
				nhwc, nchw := images(1, h, w)
				var b []byte
				for _, v := range nchw {
					b = binary.NativeEndian.AppendUint32(b, math.Float32bits(v))
				}
				blob, err := gocv.NewMatWithSizesFromBytes([]int{1, 3, h, w}, gocv.MatTypeCV32F, b)
				if err != nil {
					t.Fatal(err)
				}
				defer blob.Close()
				net := gocv.ReadNetFromONNX(path)
				defer net.Close()
				if net.Empty() {
					t.Fatal("OpenCV reads no network")
				}
				net.SetInput(blob, input)
				want := expected(t, m, info, kind, 1, h, w, nhwc)
				for name, o := range want {
					got := net.Forward(name)
					defer got.Close()
					v, err := got.DataPtrFloat32()
					if err != nil {
						t.Fatal(err)
					}
					values := output{Dims: got.Size()}
					for _, x := range unsafe.Slice(unsafe.SliceData(v), len(v)) {
						values.Data = append(values.Data, float64(x))
					}
					compare(t, name, values, o)
				}
			})
		}
	}
}
