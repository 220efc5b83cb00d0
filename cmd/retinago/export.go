package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/model/interop"
	"retinago/internal/model/onnx"
	"retinago/internal/model/weights"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write a checkpoint for another project or runtime",
		Description: "The ending of -out decides the form: .onnx is an ONNX model, .safetensors torchvision's tensors. -to names the form where the\n" +
			"file has another ending.\n\n" +
			"-to torchvision writes the tensors of torchvision.models.detection.RetinaNet with num_classes=K as safetensors. There,\n" +
			"label i is class i: no logit is the background.\n\n" +
			"-to onnx writes the network for ONNX Runtime, OpenCV's DNN and others. Its input images [N,3,H,W] is R, G, B of [0,1]\n" +
			"less the mean, over std, zeros beyond the picture; mean, std and classes stand in the file's metadata. Its outputs:\n" +
			"   raw         logits [N,A,K] and deltas [N,A,4]\n" +
			"   boxes       boxes [N,A,4], x1 y1 x2 y2 in pixels of the canvas, and scores [N,A,K]\n" +
			"   detections  of one picture after NMS: boxes [D,4], scores [D] and labels [D], best first\n\n" +
			"   retinago export runs/my -out for_torchvision.safetensors\n" +
			"   retinago export runs/my -size 640x640 -outputs detections -out detector.onnx\n" +
			"   retinago export runs/my -size dynamic -out network.onnx",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE`, or the name of a published detector (see weights fetch)", Required: true},
			&cli.StringFlag{Name: "to", Usage: "`FORMAT`: torchvision or onnx", DefaultText: "onnx if -out ends with .onnx, else torchvision"},
			&cli.StringFlag{Name: "out", Usage: "`FILE` to write", Required: true},
			&cli.StringFlag{Name: "size", Usage: "onnx: canvas as `HxW` in multiples of 32, or dynamic", DefaultText: "the checkpoint's largest"},
			&cli.IntFlag{Name: "batch", Usage: "onnx: pictures at once", Value: 1},
			&cli.StringFlag{Name: "outputs", Usage: "onnx: raw, boxes or detections", Value: onnx.Raw},
			overwriteFlag(), mirrorFlag(), cacheFlag(),
		},
		Action: export,
	}
}

// Forms of an export, as -to names them.
const (
	toTorchvision = "torchvision"
	toONNX        = "onnx"
)

// exportForm returns the form of an export: -to, or what the ending of -out says. It is an error where the two contradict each other, or where
// the ending is that of a format which is not written.
func exportForm(to, out string) (string, error) {
	ending := strings.ToLower(filepath.Ext(out))
	if to != "" && to != toTorchvision && to != toONNX {
		return "", usage("export: -to %s: there are %s and %s", to, toTorchvision, toONNX)
	}
	switch ending {
	case ".onnx":
		if to == toTorchvision {
			return "", usage("export: -to %s and -out %s: the ending .onnx is that of -to %s; change one of the two", to, out, toONNX)
		}
		return toONNX, nil
	case ".safetensors", ".pth", ".pt":
		if to == toONNX {
			return "", usage("export: -to %s and -out %s: the ending %s is that of PyTorch's weights; change one of the two", to, out, ending)
		}
		if ending != ".safetensors" {
			return "", usage("export: -out %s: %s is PyTorch's pickle, which is not written; name a file that ends with .safetensors (safetensors.torch.load_file reads it)", out, ending)
		}
	}
	return cmp.Or(to, toTorchvision), nil
}

func export(c *cli.Context) error {
	out := c.String("out")
	to, err := exportForm(c.String("to"), out)
	if err != nil {
		return err
	}
	for _, f := range []string{"size", "batch", "outputs"} {
		if to != toONNX && c.IsSet(f) {
			return usage("export: -%s is for ONNX: give -to onnx, or an -out that ends with .onnx", f)
		}
	}
	if to == toTorchvision {
		if err := inFloat(c.String("weights")); err != nil {
			return err
		}
	}
	_, release, err := outputs(c, nil, []string{"out"})
	if err != nil {
		return err
	}
	defer release()
	path, err := checkpoint(c)
	if err != nil {
		return err
	}
	if to == toONNX {
		return exportONNX(c, path, out)
	}
	info, err := interop.Export(path, out)
	if err != nil {
		return err
	}
	m, a := info.Config.Model, info.Config.Model.Anchors
	norm := ""
	if m.HeadNorm == "group" {
		norm = " with GroupNorm"
	}
	text := fmt.Sprintf("written: %s\n  %s with norm %s, FPN of %d, P6 from %s, heads of %d convolutions%s, num_classes=%d, anchor sizes %v times %.4g, ratios %v, transform.size_divisible=%d\n",
		out, m.Backbone, m.Norm, m.FPNWidth, m.P6From, m.HeadDepth, norm, len(info.Categories), a.Sizes, a.Scales, a.Ratios, info.Config.Data.CanvasMultiple)
	if !a.IntegerSizes {
		text += "  anchors have real sizes, torchvision's AnchorGenerator truncates and rounds them: boxes differ by up to a pixel of the anchor\n"
	}
	if !a.CanvasStrides && info.Config.Data.CanvasMultiple%a.Strides[len(a.Strides)-1] > 0 {
		text += fmt.Sprintf("  anchors are %v px apart, torchvision's AnchorGenerator divides a canvas by its maps: large boxes differ where %d does not divide the canvas\n",
			a.Strides, a.Strides[len(a.Strides)-1])
	}
	_, err = io.WriteString(c.App.Writer, text)
	return err
}

// inFloat is the error of a checkpoint with tensors of 8 bits. What cannot be opened is for others to report.
func inFloat(path string) error {
	f, err := weights.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	for _, name := range f.Names() {
		if dtype, _, _ := f.Info(name); dtype == "I8" {
			_, err := f.Tensor(name)
			return err
		}
	}
	return nil
}

func exportONNX(c *cli.Context, path, out string) error {
	o := onnx.Options{Batch: c.Int("batch"), Outputs: c.String("outputs"), Version: version, Dynamic: c.String("size") == "dynamic"}
	if size := c.String("size"); size != "" && !o.Dynamic {
		if n, err := fmt.Sscanf(size, "%dx%d", &o.H, &o.W); n != 2 || err != nil {
			return usage("export: -size %s: give height x width, as in 640x640, or dynamic", size)
		}
	}
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	m, info, err := detector.Open(path, e)
	if err != nil {
		return err
	}
	defer m.Close()
	if d := info.Config.Data; o.H == 0 {
		up := func(v int) int { return (v + d.CanvasMultiple - 1) / d.CanvasMultiple * d.CanvasMultiple }
		o.H, o.W = up(d.TestSide()), up(d.MaxSide)
	}
	if err := onnx.Export(m, info, out, o); err != nil {
		return err
	}
	st, err := os.Stat(out)
	if err != nil {
		return err
	}
	size := fmt.Sprintf("%dx%d", o.H, o.W)
	if o.Dynamic {
		size = "any multiple of 32"
	}
	fmt.Fprintf(c.App.Writer, "written: %s, %.1f MB\n  canvas %s, outputs %s, classes %s\n", out, float64(st.Size())/1e6, size, o.Outputs,
		strings.Join(info.Config.Model.Classes[:min(8, len(info.Config.Model.Classes))], ", "))
	if m.Int8() != nil {
		fmt.Fprintf(c.App.Writer, "  the checkpoint is int8: the model is float, with weights rounded to 8 bits\n")
	}
	return nil
}
