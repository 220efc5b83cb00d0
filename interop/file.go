package interop

import (
	"errors"
	"fmt"
	"strings"

	"retinago/detector"
	"retinago/engine"
	"retinago/weights"
)

// Save writes a checkpoint that evaluates, detects and goes on training. e holds the model meanwhile.
func (m *Model) Save(path string, e engine.Engine) (err error) {
	d, err := detector.NewBlank(m.Config.Model, e)
	if err != nil {
		return fmt.Errorf("interop: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	r, err := d.Load(weights.List(m.Tensors))
	if err != nil {
		return fmt.Errorf("interop: %w", err)
	}
	if n := len(r.Initialised) + len(r.Mismatched); n > 0 {
		return fmt.Errorf("interop: the file lacks %d of the model's tensors, such as %q: it is not complete", n, append(r.Initialised, r.Mismatched...)[0])
	}
	for _, s := range r.Skipped {
		m.note("%s has no place in the model", s)
	}
	return d.Save(path, detector.Info{Config: m.Config, Categories: m.Categories})
}

// Copy writes a classifier's tensors as safetensors under their own names, for train.init_weights.
func Copy(s weights.Source, path string) error {
	var specs []weights.Spec
	for _, n := range s.Names() {
		if strings.HasSuffix(n, "num_batches_tracked") {
			continue
		}
		_, shape, _ := s.Info(n)
		specs = append(specs, weights.Spec{Name: n, Shape: shape})
	}
	return copyTensors(s, path, specs)
}

func copyTensors(s weights.Source, path string, specs []weights.Spec) error {
	return weights.WriteFrom(path, nil, specs, func(i int, dst []float32) error {
		t, err := s.Tensor(specs[i].Name)
		copy(dst, t.Data)
		return err
	})
}

// Export writes the tensors of a checkpoint under torchvision's names, without configuration:
//
//	m = torchvision.models.detection.RetinaNet(backbone, num_classes=len(classes), ...); m.load_state_dict(tensors)
//
// There, label i is class i: no logit is the background.
func Export(checkpoint, path string) (detector.Info, error) {
	info, err := detector.ReadInfo(checkpoint)
	if err != nil {
		return info, err
	}
	if info.Config.Model.Background {
		return info, fmt.Errorf("interop: %s has a softmax with a logit for the background (model.background), torchvision's RetinaNet has "+
			"a sigmoid per class; export it to onnx instead", checkpoint)
	}
	f, err := weights.Open(checkpoint)
	if err != nil {
		return info, err
	}
	defer f.Close()
	var specs []weights.Spec
	for _, n := range f.Names() {
		_, shape, _ := f.Info(n)
		specs = append(specs, weights.Spec{Name: n, Shape: shape})
	}
	return info, copyTensors(f, path, specs)
}
