package weights

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Report is what became of a file's tensors and of the model's.
type Report struct {
	Loaded      []string // the model's tensors that came from the file
	Initialised []string // the model's tensors that the file lacks
	Skipped     []string // the file's tensors that the model lacks
	Notes       []string
}

// String is one line for each kind, with the first few names.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "loaded %d tensors", len(r.Loaded))
	for _, l := range []struct {
		what  string
		names []string
	}{{"not in the file", r.Initialised}, {"not in the model", r.Skipped}} {
		if n := len(l.names); n > 0 {
			fmt.Fprintf(&b, "\n%d %s: %s", n, l.what, strings.Join(l.names[:min(n, 6)], ", "))
			if n > 6 {
				b.WriteString(", ...")
			}
		}
	}
	for _, n := range r.Notes {
		b.WriteString("\n" + n)
	}
	return b.String()
}

// isConv distinguishes a convolution's weights from a norm's, whose name may look alike.
func isConv(shape []int) bool { return len(shape) == 4 }

var number = regexp.MustCompile(`\d+`)

// form is a name without its numbers: layers of one form differ in their place alone.
func form(name string) string { return number.ReplaceAllString(name, "#") }

// normOf is the name of the norm after a convolution: the next number in a sequence, or in a ResNet's blocks bn for conv.
func normOf(conv string) string {
	i := strings.LastIndexByte(conv, '.') + 1
	if n, err := strconv.Atoi(conv[i:]); err == nil {
		return conv[:i] + strconv.Itoa(n+1)
	}
	i = strings.LastIndex(conv, "conv")
	return conv[:i] + "bn" + conv[i+len("conv"):]
}

// Backbone reads the weights of a backbone from a file with the names of package backbone, which are torchvision's
// ("layer1.0.conv1.weight", "layer1.0.bn1.bias", ...). Where a file has norms folded into "layer1.0.conv1.weight" and
// "layer1.0.conv1.bias", the norm becomes the identity with that bias: weight 1, mean 0, variance 1-eps, eps being what the model adds to variances.
//
// want are the model's parameters; those whose name starts with prefix are the backbone's, the others are left alone.
// A model without running statistics (group norm) takes the convolutions only. Convolutions that the file lacks keep
// the model's own values, but for a block's last: it becomes zero, so that the block starts as the identity (Goyal et
// al. 2017, section 5.1).
//
// A tensor of another shape, a file with other blocks, or one that lacks more than a quarter of the convolutions is an
// error: it is of another architecture.
func Backbone(f Source, want []Spec, prefix string, eps float32) ([]Tensor, Report, error) {
	r := body{file: f, eps: eps, prefix: prefix, want: map[string][]int{}, used: map[string]bool{}, forms: map[string]bool{}}
	var convs []string
	for _, s := range want {
		name, ok := strings.CutPrefix(s.Name, prefix)
		if !ok {
			continue
		}
		r.want[name] = s.Shape
		if c, ok := strings.CutSuffix(name, ".weight"); ok && isConv(s.Shape) {
			convs = append(convs, c)
			r.forms[form(c)] = true
		}
	}
	if len(convs) == 0 {
		return nil, Report{}, fmt.Errorf("weights: the model has no backbone under %q", prefix)
	}
	missing := 0
	for _, c := range convs {
		if f.Has(c + ".weight") {
			r.load(c)
		} else {
			missing++
			r.absent(c, convs)
		}
	}
	if 4*missing > len(convs) {
		return nil, Report{}, fmt.Errorf("weights: %s: has %d of the backbone's %d convolutions (%s...): it is of another architecture, or uses other names",
			f.Path(), len(convs)-missing, len(convs), strings.Join(f.Names()[:min(3, len(f.Names()))], ", "))
	}
	r.rest()
	if err := r.errs.err(); err != nil {
		return nil, Report{}, err
	}
	for _, s := range want {
		if name, ok := strings.CutPrefix(s.Name, prefix); ok && !slices.Contains(r.report.Loaded, s.Name) {
			r.report.Initialised = append(r.report.Initialised, prefix+name)
		}
	}
	return r.out, r.report, nil
}

type body struct {
	file   Source
	eps    float32
	prefix string
	want   map[string][]int // by name without prefix
	used   map[string]bool  // the file's names
	forms  map[string]bool  // of the model's convolutions
	out    []Tensor
	report Report
	errs   faults
}

// load takes a convolution and its norm.
func (r *body) load(c string) {
	r.copy(c + ".weight")
	norm := normOf(c)
	if _, ok := r.want[norm+".running_mean"]; !ok {
		return
	}
	switch {
	case r.file.Has(norm + ".weight"):
		for _, part := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
			r.copy(norm + part)
		}
	case r.file.Has(c + ".bias"):
		bias := r.read(c+".bias", norm+".bias")
		if bias.Data == nil {
			return
		}
		n := len(bias.Data)
		r.put(norm+".weight", bias.Shape, slices.Repeat([]float32{1}, n))
		r.put(norm+".bias", bias.Shape, bias.Data)
		r.put(norm+".running_mean", bias.Shape, make([]float32, n))
		r.put(norm+".running_var", bias.Shape, slices.Repeat([]float32{1 - r.eps}, n))
	default:
		r.errs.add(wrap(r.file, c+".weight", errors.New("has neither a norm ("+norm+".weight) nor a bias; the file is not complete")))
	}
}

// absent handles a convolution that the file lacks.
func (r *body) absent(c string, convs []string) {
	block, number, ok := strings.Cut(c, ".conv")
	if !ok || !strings.HasPrefix(c, "layer") || slices.Contains(convs, block+".conv"+string(number[0]+1)) {
		return // not the last of a block
	}
	shape := r.want[c+".weight"]
	n, err := elements(shape)
	if err != nil {
		r.errs.add(fmt.Errorf("weights: %s: %w", c, err))
		return
	}
	r.out = append(r.out, Tensor{Name: r.prefix + c + ".weight", Shape: slices.Clone(shape), Data: make([]float32, n)})
	r.report.Notes = append(r.report.Notes, block+" is not complete in the file: it starts as the identity, "+c+" being zero")
}

// rest reports the file's tensors that the model has no place for. Convolutions of other blocks mean another depth.
func (r *body) rest() {
	for _, n := range r.file.Names() {
		if r.used[n] || strings.HasSuffix(n, ".num_batches_tracked") { // a counter that changes nothing
			continue
		}
		r.report.Skipped = append(r.report.Skipped, n)
		_, shape, _ := r.file.Info(n)
		if c, ok := strings.CutSuffix(n, ".weight"); ok && isConv(shape) && r.forms[form(c)] {
			r.errs.add(wrap(r.file, n, errors.New("the model has no such convolution: the file is of another architecture")))
		}
	}
}

// copy takes a tensor under its own name.
func (r *body) copy(name string) {
	if t := r.read(name, name); t.Data != nil {
		r.put(name, t.Shape, t.Data)
	}
}

// read returns a tensor that has the shape of the model's tensor as, and no data after an error.
func (r *body) read(name, as string) Tensor {
	_, shape, ok := r.file.Info(name)
	want, wanted := r.want[as]
	var err error
	switch {
	case !ok:
		err = errors.New("is not in the file; it is not complete")
	case !wanted:
		err = errors.New("has no place in the model")
	case !slices.Equal(shape, want):
		err = fmt.Errorf("has shape %v, the model wants %v: the file is of another architecture", shape, want)
	}
	if err != nil {
		r.errs.add(wrap(r.file, name, err))
		return Tensor{}
	}
	r.used[name] = true
	t, err := r.file.Tensor(name)
	if err != nil {
		r.errs.add(err)
		return Tensor{}
	}
	for i, v := range t.Data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			r.errs.add(wrap(r.file, name, fmt.Errorf("element %d is %v; the file is damaged", i, v)))
			return Tensor{}
		}
	}
	return t
}

// wrap names the file and the tensor.
func wrap(f Source, name string, err error) error {
	return fmt.Errorf("weights: %s: %q: %w", f.Path(), name, err)
}

func (r *body) put(name string, shape []int, data []float32) {
	r.out = append(r.out, Tensor{Name: r.prefix + name, Shape: shape, Data: data})
	r.report.Loaded = append(r.report.Loaded, r.prefix+name)
}
