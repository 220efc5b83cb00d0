package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/internal/model/interop"
	"retinago/internal/model/onnx"
	"retinago/internal/model/weights"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write a checkpoint for another project or runtime",
		Description: "The ending of -out decides the form: .onnx is an ONNX model, .safetensors torchvision's tensors. A file with another ending\n" +
			"needs -to.\n\n" +
			"-to torchvision writes the tensors of torchvision.models.detection.RetinaNet with num_classes=K as safetensors. There,\n" +
			"label i is class i: no logit is the background.\n\n" +
			"-to onnx writes the network for ONNX Runtime, OpenCV's DNN and others. Its input images [N,3,H,W] is R, G, B of [0,1]\n" +
			"less the mean, over std, zeros beyond the image; mean, std and classes stand in the file's metadata. Its outputs:\n" +
			"   raw         logits [N,A,K] and deltas [N,A,4]\n" +
			"   boxes       boxes [N,A,4], x1 y1 x2 y2 in pixels of the canvas, and scores [N,A,K]\n" +
			"   detections  of one image after NMS: boxes [D,4], scores [D] and labels [D], best first\n\n" +
			"-preprocess puts resizing, normalising and padding into the model. Its input is then pictures [N,height,width,3], images of any size as\n" +
			"bytes in R, G, B, and its boxes are in pixels of the image. With -size HxW an image is made to fit that canvas; otherwise it has the canvas\n" +
			"of detect, and the detections are detect's.\n\n" +
			"-examples writes programs that use the model beside it: for Python, for Node.js, and a page for a browser.\n\n" +
			"   retinago export runs/my -out for_torchvision.safetensors\n" +
			"   retinago export runs/my -preprocess -examples -out detector.onnx\n" +
			"   retinago export runs/my -size 640x640 -outputs detections -out detector.onnx\n" +
			"   retinago export runs/my -size dynamic -out network.onnx",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "weights", Usage: "checkpoint `FILE`, or the name of a published detector (see weights fetch)", Required: true},
			&cli.StringFlag{Name: "to", Usage: "`FORMAT`: torchvision or onnx", DefaultText: "by the ending of -out"},
			&cli.StringFlag{Name: "out", Usage: "`FILE` to write", Required: true},
			&cli.StringFlag{Name: "size", Usage: "onnx: canvas as `HxW` in multiples of 32, or dynamic", DefaultText: "the checkpoint's largest; dynamic with -preprocess"},
			&cli.IntFlag{Name: "batch", Usage: "onnx: images at once", Value: 1},
			&cli.StringFlag{Name: "outputs", Usage: "onnx: raw, boxes or detections", DefaultText: "raw; detections with -preprocess, boxes with -examples alone"},
			&cli.BoolFlag{Name: "preprocess", Usage: "onnx: take images of any size as bytes, give boxes in their pixels"},
			&cli.BoolFlag{Name: "examples", Usage: "onnx: write programs beside the model that use it, as .py, .mjs and .html"},
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
// the ending is that of a format which is not written, or of none.
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
	if to == "" && ending != ".safetensors" && ending != "" {
		return "", usage("export: -out %s: no form has the ending %s: name a file that ends with .onnx or .safetensors, or give -to %s or -to %s", out, ending, toONNX, toTorchvision)
	}
	return cmp.Or(to, toTorchvision), nil
}

func export(c *cli.Context) error {
	out := c.String("out")
	to, err := exportForm(c.String("to"), out)
	if err != nil {
		return err
	}
	for _, f := range []string{"size", "batch", "outputs", "preprocess", "examples"} {
		if to != toONNX && c.IsSet(f) {
			return usage("export: -%s is for ONNX: give -to onnx, or an -out that ends with .onnx", f)
		}
	}
	if to == toTorchvision {
		if err := inFloat(c.String("weights")); err != nil {
			return err
		}
	}
	g, release, err := outputs(c, nil, []string{"out"})
	if err != nil {
		return err
	}
	defer release()
	if c.Bool("examples") {
		for _, path := range onnx.ExamplePaths(out) {
			if err := g.File("-examples", path); err != nil {
				return err
			}
		}
	}
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
	text := fmt.Sprintf("written: %s, torchvision's tensors as safetensors\n  %s with norm %s, FPN of %d, P6 from %s, heads of %d convolutions%s, num_classes=%d, anchor sizes %v times %.4g, ratios %v, transform.size_divisible=%d\n",
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
