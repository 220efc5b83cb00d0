package interop

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"retinago/backbone"
	"retinago/config"
	"retinago/detector"
	"retinago/internal/kinds"
	"retinago/internal/model/weights"
)

// Model is a detector that was imported.
type Model struct {
	Source     string // the project: "torchvision", "detectron2" or "mmdetection"
	Config     config.Config
	Categories []detector.Category
	Tensors    []weights.Tensor
	Notes      []string // what was recognised and changed
}

// Options helps where a file does not say.
type Options struct {
	Classes []string // names in the order of the logits; empty takes the file's, COCO's or numbers
	IDs     []int64  // category ids of the classes, as the dataset has them; empty takes the file's, COCO's or numbers from 1
	Eps     *float64 // added to variances in training; nil derives it from the file
	// StrideIn3x3 is for detectron2's models that were trained with RESNETS.STRIDE_IN_1X1 False. A file does not say.
	StrideIn3x3 bool
	From        string // one of Projects whose form the file has; empty recognises it
}

// Projects are those whose detectors are read.
func Projects() []string { return []string{"torchvision", "detectron2", "mmdetection"} }

// Recognise returns the project that a file is of, or an error that lists what is known.
func Recognise(s weights.Source) (string, error) {
	if s.Has("head.classification_head.cls_logits.weight") && s.Has("backbone.body.conv1.weight") {
		return "torchvision", nil
	}
	if s.Has("head.cls_score.weight") && s.Has("backbone.bottom_up.stem.conv1.weight") {
		return "detectron2", nil
	}
	if s.Has("bbox_head.retina_cls.weight") && s.Has("backbone.conv1.weight") {
		return "mmdetection", nil
	}
	return "", fmt.Errorf("interop: %s: its tensors (%s, ...) are of no detector that is known: torchvision's RetinaNet (backbone.body.conv1.weight, "+
		"head.classification_head.cls_logits.weight), detectron2's (backbone.bottom_up.stem.conv1.weight, head.cls_score.weight) or "+
		"mmdetection's (bbox_head.retina_cls.weight); a classifier's weights go into train.init_weights",
		s.Path(), strings.Join(s.Names()[:min(3, len(s.Names()))], ", "))
}

// Import reads a detector of another project.
func Import(s weights.Source, o Options) (*Model, error) {
	m, err := read(s, o)
	if err == nil {
		err = m.number(o.IDs)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func read(s weights.Source, o Options) (*Model, error) {
	project := o.From
	if project == "" {
		var err error
		if project, err = Recognise(s); err != nil {
			return nil, err
		}
	}
	switch project {
	case "detectron2":
		return detectron2(s, o)
	case "mmdetection":
		return mmdetection(s, o)
	case "torchvision":
		return torchvision(s, o)
	}
	return nil, fmt.Errorf("interop: %q is none of %s", project, strings.Join(Projects(), ", "))
}

// Classifier reports whether a file has a classifier whose body can be a backbone: a ResNet or MobileNet.
func Classifier(s weights.Source) bool {
	return s.Has("conv1.weight") && s.Has("layer1.0.conv1.weight") || s.Has("features.0.0.weight") && s.Has("features.1.conv.0.0.weight") ||
		s.Has("stage1.0.0.weight") && s.Has("stage1.1.0.weight")
}

// Until 0.13, torchvision named the layers of its pyramid and heads without their block.
var (
	oldPyramid = regexp.MustCompile(`^(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$`)
	oldHead    = regexp.MustCompile(`^(head\.(?:classification|regression)_head\.conv)\.(\d+)\.(weight|bias)$`)
)

// modern is the name that today's torchvision, and this project, give a tensor.
func modern(name string) string {
	if m := oldPyramid.FindStringSubmatch(name); m != nil {
		return m[1] + ".0." + m[2]
	}
	if m := oldHead.FindStringSubmatch(name); m != nil {
		i, err := strconv.Atoi(m[2]) // convolutions and their ReLUs were counted together
		if err == nil {
			return fmt.Sprintf("%s.%d.0.%s", m[1], i/2, m[3])
		}
	}
	return name
}

// cocoLogits is the outputs per anchor of torchvision's published models: COCO's ids up to 90, and 0 for the background.
const cocoLogits = 91

// ourEps is the number that retinago's norms add to variances.
const ourEps = 1e-5

func torchvision(s weights.Source, o Options) (*Model, error) {
	m := &Model{Source: "torchvision", Config: config.Default()}
	shapes := map[string][]int{}
	from := map[string]string{} // retinago's name to the file's
	old := false
	for _, n := range s.Names() {
		if strings.HasSuffix(n, counter) {
			continue
		}
		_, shape, _ := s.Info(n)
		name := modern(n)
		old = old || name != n
		shapes[name], from[name] = shape, n
	}
	logits, err := m.describe(shapes, true)
	if err != nil {
		return nil, fmt.Errorf("interop: %s: %w", s.Path(), err)
	}
	eps := ourEps
	if old && logits == cocoLogits {
		// torchvision sets it to 0 for the first published RetinaNet.
		eps = 0
	}
	if o.Eps != nil {
		eps = *o.Eps
	}
	keep, err := m.classes(s, logits, true, o)
	if err != nil {
		return nil, fmt.Errorf("interop: %s: %w", s.Path(), err)
	}
	err = m.read(s, from, func(t weights.Tensor) weights.Tensor {
		switch {
		case strings.HasPrefix(t.Name, "head.classification_head.cls_logits."):
			t = pick(t, logits, keep)
		case strings.HasSuffix(t.Name, ".running_var") && eps != ourEps:
			for i := range t.Data {
				t.Data[i] = float32(float64(t.Data[i]) + eps - ourEps)
			}
		}
		return t
	})
	if err != nil {
		return nil, err
	}
	if eps != ourEps {
		m.note("norms add %g to variances there: the difference to %g went into the variances", eps, ourEps)
	}
	return m, nil
}

func (m *Model) note(format string, a ...any) { m.Notes = append(m.Notes, fmt.Sprintf(format, a...)) }

// read reads the tensors of s under retinago's names: from maps these to the names in s. change converts a tensor to retinago's conventions.
func (m *Model) read(s weights.Source, from map[string]string, change func(weights.Tensor) weights.Tensor) error {
	for _, n := range slices.Sorted(maps.Keys(from)) {
		t, err := s.Tensor(from[n])
		if err != nil {
			return err
		}
		t.Name = n
		m.Tensors = append(m.Tensors, change(t))
	}
	return nil
}

// describe fills the configuration from the tensors' shapes and returns the logits per anchor. Anchors are torchvision's or those
// of the paper.
func (m *Model) describe(shapes map[string][]int, torchvisions bool) (logits int, err error) {
	dim := func(name string, axis, dims int) int {
		s, ok := shapes[name]
		if !ok && err == nil {
			err = fmt.Errorf("there is no %q", name)
		} else if ok && (len(s) != dims || slices.Contains(s, 0)) && err == nil {
			err = fmt.Errorf("%q has shape %v", name, s)
		}
		if err != nil {
			return 0
		}
		return s[axis]
	}
	c := &m.Config
	c.Model.Backbone, err = depth(shapes)
	if err != nil {
		return 0, err
	}
	c.Model.BackboneWidth = dim("backbone.body.conv1.weight", 0, 4)
	c.Model.FPNWidth = dim("backbone.fpn.inner_blocks.0.0.weight", 0, 4)
	c.Model.P6From = "c5"
	if dim("backbone.fpn.extra_blocks.p6.weight", 1, 4) == c.Model.FPNWidth {
		c.Model.P6From = "p5"
	}
	c.Model.HeadDepth = 0
	for shapes[fmt.Sprintf("head.classification_head.conv.%d.0.weight", c.Model.HeadDepth)] != nil {
		c.Model.HeadDepth++
	}
	c.Model.HeadNorm = ""
	if shapes["head.classification_head.conv.0.1.weight"] != nil {
		c.Model.HeadNorm = "group"
	}
	anchors := dim("head.regression_head.bbox_reg.weight", 0, 4) / 4
	c.Model.Anchors.IntegerSizes, c.Model.Anchors.CanvasStrides = torchvisions, torchvisions
	if err == nil && anchors != c.Model.Anchors.PerCell() {
		err = fmt.Errorf("%d anchors per cell: the project's own have %d, and a file of weights does not contain the scales and ratios of others", anchors, c.Model.Anchors.PerCell())
	}
	outputs := dim("head.classification_head.cls_logits.weight", 0, 4)
	if err != nil {
		return 0, err
	}
	if bias := dim("head.classification_head.cls_logits.bias", 0, 1); err == nil && (outputs%anchors != 0 || bias != outputs) {
		err = fmt.Errorf("%d logits and %d biases for %d anchors", outputs, bias, anchors)
	}
	if err != nil {
		return 0, err
	}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{800}, 1333, 32
	c.Loss.Box, c.Loss.Normalizer = "l1", "image"
	if torchvisions && c.Model.HeadNorm == "group" {
		c.Loss.Box = "giou" // torchvision's second RetinaNet, which alone has norms in its heads
	}
	c.Infer.MaxDetections = 300
	m.note("%s, FPN of %d, P6 from %s, heads of %d convolutions%s, anchors %s, box loss %s", c.Model.Backbone, c.Model.FPNWidth,
		strings.ToUpper(c.Model.P6From), c.Model.HeadDepth, map[string]string{"group": " with group norm"}[c.Model.HeadNorm],
		map[bool]string{true: "of integer sizes at the canvas's strides", false: "of real sizes"}[torchvisions], c.Loss.Box)
	return outputs / anchors, nil
}

// depth finds a ResNet's depth by its blocks and the groups of its 3x3 convolutions.
func depth(shapes map[string][]int) (string, error) {
	var blocks [4]int
	for g := range blocks {
		for shapes[fmt.Sprintf("backbone.body.layer%d.%d.conv1.weight", g+1, blocks[g])] != nil {
			blocks[g]++
		}
	}
	groups, width := 1, 64
	middle := shapes["backbone.body.layer1.0.conv2.weight"] // [O, I/groups, 3, 3]
	third := shapes["backbone.body.layer1.0.conv3.weight"] != nil
	if third && len(middle) == 4 && middle[1] > 0 && middle[1] != middle[0] {
		groups, width = middle[0]/middle[1], middle[1]
	}
	name, ok := map[string]string{
		"[2 2 2 2] false 1x64": "resnet18", "[3 4 6 3] false 1x64": "resnet34",
		"[3 4 6 3] true 1x64": "resnet50", "[3 4 23 3] true 1x64": "resnet101", "[3 8 36 3] true 1x64": "resnet152",
		"[3 4 6 3] true 32x4": "resnext50_32x4d", "[3 4 23 3] true 32x8": "resnext101_32x8d", "[3 4 23 3] true 64x4": "resnext101_64x4d",
	}[fmt.Sprintf("%v %v %dx%d", blocks, third, groups, width)]
	if !ok {
		return "", fmt.Errorf("a backbone with %v blocks and %d groups of %d channels is none of %s", blocks, groups, width, strings.Join(kinds.Names(backbone.Kinds), ", "))
	}
	return name, nil
}

// add appends a class.
func (m *Model) add(id int64, name string) {
	m.Config.Model.Classes, m.Config.Model.CategoryIDs = append(m.Config.Model.Classes, name), append(m.Config.Model.CategoryIDs, id)
	m.Categories = append(m.Categories, detector.Category{ID: id, Name: name})
}

// number gives the classes the category ids that a dataset has for them.
func (m *Model) number(ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if len(ids) != len(m.Categories) {
		return fmt.Errorf("interop: %d category ids for %d classes: give one for each, in their order", len(ids), len(m.Categories))
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return fmt.Errorf("interop: the category id %d is given twice", id)
		}
		m.Categories[i].ID, m.Config.Model.CategoryIDs[i] = id, id
	}
	return nil
}

// known returns the names of the classes and, where they are known, the ids of their categories: those that the options give, else those
// of the file where their number fits.
func (m *Model) known(s weights.Source, logits int, background bool, o Options) (names []string, ids []int64) {
	if len(o.Classes) > 0 {
		return o.Classes, nil
	}
	names, ids = s.Classes()
	if len(names) == 0 {
		return nil, nil
	}
	if len(names) != logits && !(background && len(names) == logits-1) {
		m.note("the file names %d classes for %d logits: they are not taken", len(names), logits)
		return nil, nil
	}
	m.note("the names of the classes are the file's")
	return names, ids
}

// classes names the logits and decides which are kept. Where there may be one for the background, it is the first.
func (m *Model) classes(s weights.Source, logits int, background bool, o Options) (keep []int, err error) {
	names, ids := m.known(s, logits, background, o)
	first := 0
	switch {
	case len(names) == logits:
	case len(names) > 0 && background && len(names) == logits-1:
		first = 1
		m.note("%d logits: the first is the background, which is dropped", logits)
	case len(names) > 0 && background:
		return nil, fmt.Errorf("%d names of classes for %d logits: give one per logit, or one fewer where the first is the background", len(names), logits)
	case len(names) > 0:
		return nil, fmt.Errorf("%d names of classes for %d logits: %s has no background among them", len(names), logits, m.Source)
	case background && logits == cocoLogits:
		for _, k := range COCO() {
			keep = append(keep, int(k.ID))
			m.add(k.ID, k.Name)
		}
		m.note("%d logits: the 80 of COCO's ids are kept, background and unused ids dropped", logits)
		return keep, nil
	case !background && logits == len(COCO()):
		for i, k := range COCO() {
			keep = append(keep, i)
			m.add(k.ID, k.Name)
		}
		return keep, nil
	default:
		m.note("the file names no classes: they are called class 0 to class %d; -classes and -ids give others", logits-1)
	}
	for i := range logits - first {
		name, id := fmt.Sprintf("class %d", i), int64(i+1)
		if len(names) > 0 {
			name = names[i]
		}
		if ids != nil {
			id = ids[i]
		}
		keep = append(keep, first+i)
		m.add(id, name)
	}
	if ids == nil && len(o.IDs) == 0 {
		m.note("categories are numbered from 1; -ids gives those of a dataset")
	}
	return keep, nil
}

// pick keeps some of the logits of every anchor: rows a*logits+k of a weight or bias.
func pick(t weights.Tensor, logits int, keep []int) weights.Tensor {
	row := len(t.Data) / t.Shape[0]
	out := weights.Tensor{Name: t.Name, Shape: slices.Clone(t.Shape)}
	for a := range t.Shape[0] / logits {
		for _, k := range keep {
			at := (a*logits + k) * row
			out.Data = append(out.Data, t.Data[at:at+row]...)
		}
	}
	out.Shape[0] = t.Shape[0] / logits * len(keep)
	return out
}
