package interop

import (
	"fmt"
	"regexp"
	"strings"

	"retinago/config"
	"retinago/internal/model/weights"
)

// Patterns of mmdetection's names with retinago's, tried in this order.
var mmdetectionNames = []rename{
	{regexp.MustCompile(`^backbone\.`), "backbone.body."},
	{regexp.MustCompile(`^neck\.lateral_convs\.(\d)\.conv\.`), "backbone.fpn.inner_blocks.$1.0."},
	{regexp.MustCompile(`^neck\.fpn_convs\.([012])\.conv\.`), "backbone.fpn.layer_blocks.$1.0."},
	{regexp.MustCompile(`^neck\.fpn_convs\.3\.conv\.`), "backbone.fpn.extra_blocks.p6."},
	{regexp.MustCompile(`^neck\.fpn_convs\.4\.conv\.`), "backbone.fpn.extra_blocks.p7."},
	{regexp.MustCompile(`^bbox_head\.cls_convs\.(\d)\.conv\.`), "head.classification_head.conv.$1.0."},
	{regexp.MustCompile(`^bbox_head\.reg_convs\.(\d)\.conv\.`), "head.regression_head.conv.$1.0."},
	{regexp.MustCompile(`^bbox_head\.retina_cls\.`), "head.classification_head.cls_logits."},
	{regexp.MustCompile(`^bbox_head\.retina_reg\.`), "head.regression_head.bbox_reg."},
}

// fromMMDetection returns retinago's name of a tensor, "" for a tensor that retinago does not use.
func fromMMDetection(name string) string {
	for _, n := range mmdetectionNames {
		if n.from.MatchString(name) {
			return n.from.ReplaceAllString(name, n.to)
		}
	}
	return ""
}

// mmdetection imports RetinaNet with a backbone of style "pytorch": R, G, B with ImageNet's mean and deviation. There is
// no ReLU before P7, anchors have real sizes, and all logits are classes.
func mmdetection(s weights.Source, o Options) (*Model, error) {
	m := &Model{Source: "mmdetection", Config: config.Default()}
	shapes := map[string][]int{}
	from := map[string]string{}
	for _, n := range s.Names() {
		name := fromMMDetection(n)
		if name == "" {
			m.note("%s was left out", n)
		}
		if name == "" || strings.HasSuffix(n, "num_batches_tracked") {
			continue
		}
		_, shape, _ := s.Info(n)
		shapes[name], from[name] = shape, n
	}
	logits, err := m.describe(shapes, false)
	if err != nil {
		return nil, fmt.Errorf("interop: %s: %w", s.Path(), err)
	}
	m.Config.Model.P7ReLU, m.Config.Infer.MaxDetections = false, 100
	m.Config.Loss.Normalizer = "positives"
	if _, err := m.classes(s, logits, false, o); err != nil {
		return nil, fmt.Errorf("interop: %s: %w", s.Path(), err)
	}
	if err := m.read(s, from, func(t weights.Tensor) weights.Tensor { return t }); err != nil {
		return nil, err
	}
	m.note("no ReLU before P7; the backbone is taken for one of style pytorch")
	return m, nil
}
