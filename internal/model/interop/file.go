package interop

import (
	"errors"
	"fmt"
	"strings"

	"retinago/backbone"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/internal/model/weights"
)

// Save writes a checkpoint that can be evaluated, used for detection and trained further. e holds the model meanwhile.
func (m *Model) Save(path string, e engine.Engine) (err error) {
	if err := m.Config.Validate(); err != nil {
		return fmt.Errorf("interop: what the file's tensors say of its network: %w", err)
	}
	shapes := map[string][]int{}
	for _, t := range m.Tensors {
		shapes[t.Name] = t.Shape
	}
	d, err := detector.NewToLoad(m.Config.Model, e, func(name string) ([]int, bool) {
		s, ok := shapes[name]
		return s, ok
	})
	if err != nil {
		return fmt.Errorf("interop: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	r, err := d.Load(weights.List(m.Tensors))
	if err != nil {
		return fmt.Errorf("interop: %w", err)
	}
	for _, s := range r.Skipped {
		m.note("%s has no place in the model", s)
	}
	return d.Save(path, detector.Info{Config: m.Config, Categories: m.Categories})
}

// Export writes the tensors of a checkpoint under torchvision's names, without configuration:
//
//	m = torchvision.models.detection.RetinaNet(backbone, num_classes=len(classes), ...); m.load_state_dict(tensors)
//
// There, label i is class i: no logit is the background. A network that torchvision's RetinaNet cannot represent is an error.
func Export(checkpoint, path string) (detector.Info, error) {
	info, err := detector.ReadInfo(checkpoint)
	if err != nil {
		return info, err
	}
	if err := torchvisionHas(info.Config.Model); err != nil {
		return info, fmt.Errorf("interop: %s: %w; export it to onnx instead", checkpoint, err)
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
		if norm, ok := strings.CutSuffix(n, ".running_var"); ok {
			specs = append(specs, weights.Spec{Name: norm + counter}) // a batch norm there wants it, a frozen one drops it
		}
	}
	return info, copyTensors(f, path, specs)
}

// torchvisionHas returns an error if torchvision's RetinaNet and its blocks have no place for a part of the model.
func torchvisionHas(m config.Model) error {
	switch {
	case m.Background:
		return errors.New("it has a softmax with a logit for the background (model.background), torchvision's RetinaNet a sigmoid per class")
	case m.Pyramid == "pafpn":
		return errors.New("torchvision has no PAFPN (model.pyramid)")
	case !m.P7ReLU:
		return errors.New("it has no ReLU before P7 (model.p7_relu), torchvision has one")
	case m.HeadActivation != "" && m.HeadActivation != "relu":
		return fmt.Errorf("its heads have the activation %s (model.head_activation), torchvision's have ReLU", m.HeadActivation)
	case m.StrideIn1x1:
		return errors.New("its bottlenecks have their stride on the first convolution (model.stride_in_1x1), torchvision's on the second")
	}
	kind, err := backbone.Find(m.Backbone)
	if err == nil && !kind.Torchvision {
		err = fmt.Errorf("torchvision has no %s", kind.Family)
	}
	return err
}

// counter ends the name of a batch norm's count of batches, which retinago does not read.
const counter = ".num_batches_tracked"

// Copy writes a classifier's tensors as safetensors under their own names, for train.init_weights.
func Copy(s weights.Source, path string) error {
	var specs []weights.Spec
	for _, n := range s.Names() {
		if strings.HasSuffix(n, counter) {
			continue
		}
		_, shape, _ := s.Info(n)
		specs = append(specs, weights.Spec{Name: n, Shape: shape})
	}
	return copyTensors(s, path, specs)
}

// copyTensors copies the tensors that s has; the others are zeros.
func copyTensors(s weights.Source, path string, specs []weights.Spec) error {
	return weights.WriteFrom(path, nil, specs, func(i int, dst []float32) error {
		if !s.Has(specs[i].Name) {
			clear(dst)
			return nil
		}
		t, err := s.Tensor(specs[i].Name)
		copy(dst, t.Data)
		return err
	})
}
