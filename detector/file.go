package detector

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/engine"
	"retinago/internal/model/weights"
	"retinago/nn"
)

// Info travels with a model's weights, so that a checkpoint alone is enough to use it.
type Info struct {
	Config     config.Config      // as resolved for training; its Model says what the network is
	Categories []Category         // in the order of the class outputs
	Step       int                // of training
	Metrics    map[string]float64 // of the last evaluation, for example "AP"

	// Scores are the lowest scores to report, by category: those of the best F1 at IoU .5 in the last evaluation. 0 is a class in which
	// nothing was found; nil is a model that was not measured, or of an earlier version.
	Scores []float64
}

// Category is a class as the training data knew it.
type Category struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Format is the version of checkpoint files that Save writes. Open reads it and all before; 0 is of files without one.
const Format = 1

// meta is the JSON under metaKey in the file's metadata; the configuration stands beside it as YAML.
type meta struct {
	Format     int                `json:"format"`
	Categories []Category         `json:"categories"`
	Step       int                `json:"step"`
	Metrics    map[string]float64 `json:"metrics,omitempty"`
	Scores     []float64          `json:"scores,omitempty"`
}

const (
	metaKey   = "retinago.model"
	configKey = "retinago.config"
)

// maxMeta bounds a checkpoint's JSON, in bytes: what reads it takes many times its memory. config.MaxText bounds its YAML.
const maxMeta = 16 << 20

// Save writes the model to a safetensors file, atomically.
func (m *Model) Save(path string, info Info) error {
	js, err := json.Marshal(meta{Format, info.Categories, info.Step, info.Metrics, info.Scores})
	if err != nil {
		return err
	}
	metadata := map[string]string{metaKey: string(js), configKey: info.Config.String()}
	if s := m.scheme; s != nil {
		if js, err = json.Marshal(int8Meta{s.Method, s.Images, s.Ranges}); err != nil {
			return err
		}
		metadata[int8Key] = string(js)
	}
	specs, read := m.tensors()
	return weights.WriteFrom(path, metadata, specs, read)
}

// Open reads a model that Save wrote, float or int8.
func Open(path string, e engine.Engine) (*Model, Info, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, Info{}, err
	}
	defer f.Close()
	return open(f, path, e)
}

// OpenFrom is Open for the size bytes of r, which is not needed afterwards; name stands for the file in errors.
func OpenFrom(name string, r io.ReaderAt, size int64, e engine.Engine) (*Model, Info, error) {
	f, err := weights.OpenFrom(name, r, size)
	if err != nil {
		return nil, Info{}, err
	}
	defer f.Close()
	return open(f, name, e)
}

func open(f *weights.File, path string, e engine.Engine) (*Model, Info, error) {
	info, err := readInfo(f, path)
	if err != nil {
		return nil, Info{}, err
	}
	scheme, err := readScheme(f, path)
	if err != nil {
		return nil, Info{}, err
	}
	m, err := NewToLoad(info.Config.Model, e, func(name string) ([]int, bool) {
		_, shape, ok := f.Info(name)
		return shape, ok
	})
	if err != nil {
		return nil, Info{}, fmt.Errorf("%s: %w", path, err)
	}
	src := Source(f)
	if scheme != nil {
		src = int8File{f, scheme}
	}
	if err = m.loads(); err == nil {
		_, err = m.Load(src)
	}
	if err == nil && scheme != nil {
		err = m.Quantize(scheme)
	}
	if err != nil {
		return nil, Info{}, errors.Join(fmt.Errorf("%s: %w", path, err), m.Close())
	}
	return m, info, nil
}

// ReadInfo reads what a checkpoint says of itself, without its weights.
func ReadInfo(path string) (Info, error) {
	f, err := weights.Open(path)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	return readInfo(f, path)
}

func readInfo(f *weights.File, path string) (Info, error) {
	js, ok := f.Metadata[metaKey]
	yaml, ok2 := f.Metadata[configKey]
	if !ok || !ok2 {
		return Info{}, fmt.Errorf("%s: the file has weights but no %s: it is not a checkpoint of retinago; retinago weights import makes one of another project's detector, and a backbone's weights go into train.init_weights", path, configKey)
	}
	if len(js) > maxMeta || len(yaml) > config.MaxText {
		return Info{}, fmt.Errorf("%s: metadata %s has %d bytes and %s %d; at most %d and %d are read", path, metaKey, len(js), configKey, len(yaml), maxMeta, config.MaxText)
	}
	var mt meta
	if err := json.Unmarshal([]byte(js), &mt); err != nil {
		return Info{}, fmt.Errorf("%s: metadata %s: %w", path, metaKey, err)
	}
	if mt.Format > Format {
		return Info{}, fmt.Errorf("%s: the file has format %d, of a later version of retinago; this one reads formats up to %d", path, mt.Format, Format)
	}
	c, err := config.Parse(path+": "+configKey, []byte(yaml))
	if err != nil {
		return Info{}, err
	}
	if len(mt.Categories) != len(c.Model.Classes) {
		return Info{}, fmt.Errorf("%s: %d categories for %d classes", path, len(mt.Categories), len(c.Model.Classes))
	}
	if n := len(mt.Scores); n > 0 && n != len(mt.Categories) {
		return Info{}, fmt.Errorf("%s: metadata %s has %d scores for %d classes", path, metaKey, n, len(mt.Categories))
	}
	for i, v := range mt.Scores {
		if !(v >= 0 && v < 1) {
			return Info{}, fmt.Errorf("%s: metadata %s has the score %g for class %s; scores are from 0 to below 1", path, metaKey, v, mt.Categories[i].Name)
		}
	}
	return Info{Config: c, Categories: mt.Categories, Step: mt.Step, Metrics: mt.Metrics, Scores: mt.Scores}, nil
}

// Report says what loading did, by parameter name.
type Report struct {
	Loaded      []string // taken from the file
	Initialised []string // not in the file: as they were
	Mismatched  []string // in the file with another shape: as they were
	Skipped     []string // in the file, unknown to the model
}

// Source gives tensors by name, as weights.File does, to several goroutines at once. A missing tensor is an
// fs.ErrNotExist.
type Source interface {
	Names() []string
	Tensor(name string) (weights.Tensor, error)
}

// Load takes from src every tensor whose name and shape are the model's. A value that is not finite is an error: a
// network hides it (ReLU of NaN may be 0) and detects nothing.
func (m *Model) Load(src Source) (Report, error) {
	unknown := map[string]bool{}
	for _, n := range src.Names() {
		unknown[n] = true
	}
	params := m.Params()
	errs := make([]error, len(params))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(params); i = int(next.Add(1)) - 1 {
				errs[i] = fs.ErrNotExist
				if unknown[params[i].Name] {
					errs[i] = m.load(src, params[i])
				}
			}
		})
	}
	workers.Wait()
	var r Report
	for i, p := range params {
		switch err := errs[i]; {
		case err == nil:
			r.Loaded = append(r.Loaded, p.Name)
		case errors.Is(err, fs.ErrNotExist):
			r.Initialised = append(r.Initialised, p.Name)
		case errors.Is(err, errShape):
			r.Mismatched = append(r.Mismatched, p.Name)
		default:
			return r, err
		}
		delete(unknown, p.Name)
	}
	r.Skipped = slices.Sorted(maps.Keys(unknown))
	m.Changed()
	return r, nil
}

var errShape = errors.New("another shape")

// load fills one parameter.
func (m *Model) load(src Source, p *nn.Param) error {
	t, err := src.Tensor(p.Name)
	if err != nil {
		return err
	}
	if !tensor.Shape(t.Shape).Eq(tensor.Shape(p.Shape)) {
		return errShape
	}
	if i := slices.IndexFunc(t.Data, func(v float32) bool { return v-v != 0 }); i >= 0 {
		return fmt.Errorf("tensor %s has %g at %d: the weights are of a run that diverged, or damaged", p.Name, t.Data[i], i)
	}
	if err := m.engine.Upload(p.Value, t.Data); err != nil {
		return fmt.Errorf("detector: %s: %w", p.Name, err)
	}
	return nil
}

// Size returns the number of parameters, running statistics included, and how many of them train.
func (m *Model) Size() (all, trainable int) {
	for _, p := range m.Params() {
		all += p.Size()
		if p.Trainable {
			trainable += p.Size()
		}
	}
	return all, trainable
}
