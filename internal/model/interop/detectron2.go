package interop

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"retinago/config"
	"retinago/internal/model/weights"
)

// rename is a pattern of another project's names with retinago's name for it.
type rename struct {
	from *regexp.Regexp
	to   string
}

// Patterns of detectron2's names with retinago's, tried in this order.
var detectron2Names = []rename{
	{regexp.MustCompile(`^backbone\.bottom_up\.stem\.conv1\.norm\.`), "backbone.body.bn1."},
	{regexp.MustCompile(`^backbone\.bottom_up\.stem\.conv1\.`), "backbone.body.conv1."},
	{regexp.MustCompile(`^backbone\.bottom_up\.res(\d)\.(\d+)\.shortcut\.norm\.`), "backbone.body.layer$1.$2.downsample.1."},
	{regexp.MustCompile(`^backbone\.bottom_up\.res(\d)\.(\d+)\.shortcut\.`), "backbone.body.layer$1.$2.downsample.0."},
	{regexp.MustCompile(`^backbone\.bottom_up\.res(\d)\.(\d+)\.conv(\d)\.norm\.`), "backbone.body.layer$1.$2.bn$3."},
	{regexp.MustCompile(`^backbone\.bottom_up\.res(\d)\.(\d+)\.conv(\d)\.`), "backbone.body.layer$1.$2.conv$3."},
	{regexp.MustCompile(`^backbone\.fpn_lateral(\d)\.`), "backbone.fpn.inner_blocks.$1.0."},
	{regexp.MustCompile(`^backbone\.fpn_output(\d)\.`), "backbone.fpn.layer_blocks.$1.0."},
	{regexp.MustCompile(`^backbone\.top_block\.`), "backbone.fpn.extra_blocks."},
	{regexp.MustCompile(`^head\.cls_subnet\.(\d+)\.`), "head.classification_head.conv.$1.0."},
	{regexp.MustCompile(`^head\.bbox_subnet\.(\d+)\.`), "head.regression_head.conv.$1.0."},
	{regexp.MustCompile(`^head\.cls_score\.`), "head.classification_head.cls_logits."},
	{regexp.MustCompile(`^head\.bbox_pred\.`), "head.regression_head.bbox_reg."},
}

// shifts of the numbers in names: res2 is layer1, level 3 is block 0, and in the heads every convolution is followed by
// a ReLU that is counted.
var (
	layerNumber = regexp.MustCompile(`^(backbone\.body\.layer)(\d)(\..*)$`)
	blockNumber = regexp.MustCompile(`^(backbone\.fpn\.(?:inner|layer)_blocks\.)(\d)(\..*)$`)
	towerNumber = regexp.MustCompile(`^(head\.\w+\.conv\.)(\d+)(\..*)$`)
)

// fromDetectron2 returns retinago's name of a tensor, "" for a tensor that retinago does not use.
func fromDetectron2(name string) string {
	for _, n := range detectron2Names {
		if !n.from.MatchString(name) {
			continue
		}
		name = n.from.ReplaceAllString(name, n.to)
		for _, s := range []struct {
			re *regexp.Regexp
			f  func(int) int
		}{{layerNumber, func(i int) int { return i - 1 }}, {blockNumber, func(i int) int { return i - 3 }}, {towerNumber, func(i int) int { return i / 2 }}} {
			if m := s.re.FindStringSubmatch(name); m != nil {
				i, err := strconv.Atoi(m[2])
				if err != nil {
					return ""
				}
				name = m[1] + strconv.Itoa(s.f(i)) + m[3]
			}
		}
		return name
	}
	return ""
}

// detectron2 imports RetinaNet of detectron2's model zoo: images are BGR from 0 to 255 less a mean, the stride of a
// bottleneck is on its first convolution, anchors of a cell are ordered by size and then ratio, not the other way round.
func detectron2(s weights.Source, o Options) (*Model, error) {
	m := &Model{Source: "detectron2", Config: config.Default()}
	shapes := map[string][]int{}
	from := map[string]string{}
	for _, n := range s.Names() {
		name := fromDetectron2(n)
		if name == "" || strings.HasSuffix(n, "num_batches_tracked") {
			if !strings.HasPrefix(n, "anchor_generator.") && !strings.HasPrefix(n, "pixel_") && name == "" {
				m.note("%s was left out", n)
			}
			continue
		}
		_, shape, _ := s.Info(n)
		shapes[name], from[name] = shape, n
	}
	logits, err := m.describe(shapes, false)
	if err != nil {
		return nil, fmt.Errorf("interop: %s: %w", s.Path(), err)
	}
	c := &m.Config
	c.Model.StrideIn1x1 = !o.StrideIn3x3 && shapes["backbone.body.layer1.0.conv3.weight"] != nil // bottlenecks
	c.Loss.Normalizer, c.Infer.MaxDetections = "ema", 100
	// (255 v - mean)/1 with v in [0,1] is (v - mean/255)/(1/255). detectron2's means are B, G, R.
	c.Data.Mean = [3]float32{123.675 / 255, 116.28 / 255, 103.53 / 255}
	c.Data.Std = [3]float32{1. / 255, 1. / 255, 1. / 255}
	keep, err := m.classes(s, logits, false, o)
	if err != nil {
		return nil, fmt.Errorf("interop: %s: %w", s.Path(), err)
	}
	scales, ratios := len(c.Model.Anchors.Scales), len(c.Model.Anchors.Ratios)
	err = m.read(s, from, func(t weights.Tensor) weights.Tensor {
		switch {
		case t.Name == "backbone.body.conv1.weight":
			swapRGB(t)
		case strings.Contains(t.Name, ".cls_logits."):
			t = pick(reorder(t, scales, ratios), logits, keep)
		case strings.Contains(t.Name, ".bbox_reg."):
			t = reorder(t, scales, ratios)
		}
		return t
	})
	if err != nil {
		return nil, err
	}
	m.note("images there are B, G, R from 0 to 255: the first convolution's channels were turned, mean and std say the rest")
	if c.Model.StrideIn1x1 {
		m.note("strides of bottlenecks are on their first convolution")
	}
	return m, nil
}

// swapRGB turns the input channels of a convolution [O,3,R,S].
func swapRGB(t weights.Tensor) {
	if len(t.Shape) != 4 || t.Shape[1] != 3 {
		return
	}
	area := t.Shape[2] * t.Shape[3]
	for o := range t.Shape[0] {
		b, r := t.Data[o*3*area:(o*3+1)*area], t.Data[(o*3+2)*area:(o*3+3)*area]
		for i := range b {
			b[i], r[i] = r[i], b[i]
		}
	}
}

// reorder turns outputs ordered by scale and ratio into those ordered by ratio and scale.
func reorder(t weights.Tensor, scales, ratios int) weights.Tensor {
	out := weights.Tensor{Name: t.Name, Shape: slices.Clone(t.Shape), Data: make([]float32, len(t.Data))}
	size := len(t.Data) / (scales * ratios)
	for s := range scales {
		for r := range ratios {
			copy(out.Data[(r*scales+s)*size:(r*scales+s+1)*size], t.Data[(s*ratios+r)*size:])
		}
	}
	return out
}
