package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
	"retinago/internal/model/onnx"
)

// onnxOptions reads the flags of an export to ONNX. The canvas is 0 x 0 where no flag says what it is.
func onnxOptions(c *cli.Context) (onnx.Options, error) {
	o := onnx.Options{Batch: c.Int("batch"), Outputs: c.String("outputs"), Version: version, Preprocess: c.Bool("preprocess")}
	switch {
	case o.Outputs != "":
	case o.Preprocess:
		o.Outputs = onnx.Detections
	case c.Bool("examples"):
		o.Outputs = onnx.Boxes // which an example clips to the image before NMS, as detect does
	default:
		o.Outputs = onnx.Raw
	}
	size := c.String("size")
	if o.Dynamic = size == "dynamic" || size == "" && o.Preprocess; o.Dynamic || size == "" {
		return o, nil
	}
	if n, err := fmt.Sscanf(size, "%dx%d", &o.H, &o.W); n != 2 || err != nil {
		return o, usage("export: -size %s: give height x width, as in 640x640, or dynamic", size)
	}
	return o, nil
}

func exportONNX(c *cli.Context, path, out string) error {
	o, err := onnxOptions(c)
	if err != nil {
		return err
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
	if d := info.Config.Data; o.H == 0 && !o.Dynamic {
		up := func(v int) int { return (v + d.CanvasMultiple - 1) / d.CanvasMultiple * d.CanvasMultiple }
		o.H, o.W = up(d.TestSide()), up(d.MaxSide)
	}
	examples := c.Bool("examples")
	if examples {
		if err := onnx.HasExamples(info, o); err != nil {
			return err
		}
	}
	signature, err := onnx.Export(m, info, out, o)
	if err != nil {
		return err
	}
	if examples {
		if err := onnx.WriteExamples(info, out, leastScores(info), o); err != nil {
			return err
		}
	}
	if err := reportONNX(c.App.Writer, out, info, o, signature); err != nil {
		return err
	}
	if m.Int8() != nil {
		fmt.Fprintf(c.App.Writer, "  the checkpoint is int8: the model is float, with weights rounded to 8 bits\n")
	}
	_, err = io.WriteString(c.App.Writer, nextONNX(out, o, examples))
	return err
}

// reportONNX prints what was exported.
func reportONNX(w io.Writer, out string, info detector.Info, o onnx.Options, signature onnx.Signature) error {
	st, err := os.Stat(out)
	if err != nil {
		return err
	}
	size := fmt.Sprintf("%dx%d", o.H, o.W)
	switch {
	case o.Dynamic && o.Preprocess:
		size = fmt.Sprintf("of each image, in multiples of %d", info.Config.Data.CanvasMultiple)
	case o.Dynamic:
		size = "any multiple of 32"
	}
	fmt.Fprintf(w, "written: %s, an ONNX model of %.1f MB\n  canvas %s, outputs %s, classes %s\n", out, float64(st.Size())/1e6, size, o.Outputs,
		strings.Join(info.Config.Model.Classes[:min(8, len(info.Config.Model.Classes))], ", "))
	for _, v := range signature.Inputs {
		fmt.Fprintf(w, "  input  %s\n", v)
	}
	for _, v := range signature.Outputs {
		fmt.Fprintf(w, "  output %s\n", v)
	}
	return nil
}

// nextONNX is what to do with an exported model.
func nextONNX(out string, o onnx.Options, examples bool) string {
	switch {
	case examples:
		paths := onnx.ExamplePaths(out)
		return fmt.Sprintf("written: %s\n  detect with: python3 %s IMAGE ANNOTATED.jpg\n", strings.Join(paths, ", "), paths[0])
	case o.Preprocess:
		return "  with -examples: programs for Python, Node.js and browsers that detect with it\n"
	}
	return "  with -preprocess -examples: a model that takes images, and programs that detect with it\n"
}

// leastScores returns the least scores of a model's classes that detect reports.
func leastScores(info detector.Info) []float32 {
	if own := infer.ClassScores(info); own != nil {
		return own
	}
	scores := make([]float32, len(info.Categories))
	for i := range scores {
		scores[i] = infer.CommonScore
	}
	return scores
}
