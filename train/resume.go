package train

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"retinago/coco"
	"retinago/config"
	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/internal/dataset/data"
)

// ErrChanged is wrapped by errors about a run that is resumed with settings or annotations that do not fit its state.
var ErrChanged = errors.New("the run began with other settings or data")

// conditions are the settings and data on which a run's numbers depend. A state stores them.
type conditions struct {
	Config    string `json:"config"` // as YAML
	Train     string `json:"train"`  // annotations, by hash
	Val       string `json:"val,omitempty"`
	Pictures  int    `json:"pictures"` // to train on
	Device    string `json:"device"`
	Precision string `json:"precision"`
	Threads   int    `json:"threads"`
	ISA       string `json:"isa"`
}

func conditionsOf(c config.Config, e engine.Engine, train, val *data.Dataset) (conditions, error) {
	isa, err := cpu.ISA()
	out := conditions{Config: c.String(), Train: digest(train.COCO()), Pictures: train.Len(), Device: e.Name(),
		Precision: engine.PrecisionOf(e).String(), Threads: e.Threads(), ISA: isa}
	if val != nil {
		out.Val = digest(val.COCO())
	}
	return out, err
}

// digest returns a hash of a dataset: its categories, its boxes, and the names and sizes of its pictures in their order.
func digest(d *coco.Dataset) string {
	h := sha256.New()
	w := bufio.NewWriter(h)
	var b []byte
	number := func(v uint64) { b = binary.LittleEndian.AppendUint64(b, v) }
	word := func(s string) { number(uint64(len(s))); b = append(b, s...) }
	end := func() { w.Write(b); b = b[:0] }
	number(uint64(len(d.Categories)))
	for _, c := range d.Categories {
		number(uint64(c.ID))
		word(c.Name)
		end()
	}
	number(uint64(len(d.Images)))
	for _, im := range d.Images {
		number(uint64(im.ID))
		word(im.FileName)
		number(uint64(im.Width))
		number(uint64(im.Height))
		end()
	}
	for _, a := range d.Annotations {
		number(uint64(a.ImageID))
		number(uint64(a.CategoryID))
		for _, v := range append(a.BBox[:], a.Area) {
			number(math.Float64bits(v))
		}
		crowd := byte(0)
		if a.IsCrowd {
			crowd = 1
		}
		b = append(b, crowd)
		end()
	}
	w.Flush()
	return hex.EncodeToString(h.Sum(nil))
}

// Keys of the configuration that restrict how a run resumes. All other keys may change.
var (
	// otherRun are the keys after whose change the state does not fit.
	otherRun = []string{"model.", "train.seed", "train.batch", "train.optimizer", "data.val_share", "data.val_seed"}
	// otherTask are the keys that change what the model learns or how it is evaluated: a change needs Options.Changed.
	otherTask = []string{"match.", "loss.", "data.short_sides", "data.max_side", "data.canvas_multiple", "data.fast_decode", "data.flip", "data.mean", "data.std"}
)

// isOf reports whether a key is in a list of keys and groups of keys.
func isOf(key string, list []string) bool {
	for _, k := range list {
		if key == k || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k) {
			return true
		}
	}
	return false
}

// compare prints the differences between a state and the run that resumes from it. It returns an error if the state does not fit.
func (l *Loop) compare(s state, path string, o Options) error {
	fmt.Fprintf(o.Log, "resume    at step %d of %s\n", s.Step, path)
	if s.Conditions == nil {
		if now := l.fingerprint(); s.Fingerprint != now {
			return fmt.Errorf("train: %s was written by another run: %q then, %q now; resume with the run's own %s", path, s.Fingerprint, now, ConfigFile)
		}
		fmt.Fprintf(o.Log, "warning   %s is of an earlier version: whether config, annotations, threads and instruction set are as they were is not known\n", path)
	} else if err := l.compareConditions(*s.Conditions, o); err != nil {
		return fmt.Errorf("train: %s: %w", path, err)
	}
	if s.Step > l.schedule.Steps {
		return fmt.Errorf("train: %s is at step %d, beyond the %d that are to be taken: raise train.steps or train.epochs", path, s.Step, l.schedule.Steps)
	}
	return nil
}

func (l *Loop) compareConditions(then conditions, o Options) error {
	now := l.conditions
	var never, asked []string
	differs := func(key, before, after string) string {
		text := fmt.Sprintf("%s: %s then, %s now", key, before, after)
		fmt.Fprintf(o.Log, "changed   %s\n", text)
		return text
	}
	before, err := config.Parse("config", []byte(then.Config))
	if err != nil {
		fmt.Fprintf(o.Log, "warning   the config of the steps so far cannot be read and is not compared: %v\n", err)
		before = l.config
	}
	for _, k := range before.Changes(l.config) {
		text := differs(k.Key, k.Before, k.After)
		switch {
		case isOf(k.Key, otherRun), k.Key == "train.ema" && (before.Train.EMA == 0 || l.config.Train.EMA == 0):
			never = append(never, text)
		case isOf(k.Key, otherTask):
			asked = append(asked, text)
		}
	}
	if then.Pictures != now.Pictures {
		never = append(never, differs("pictures of data.train", fmt.Sprint(then.Pictures), fmt.Sprint(now.Pictures)))
	} else if then.Train != now.Train {
		asked = append(asked, differs("annotations of data.train", brief(then.Train), brief(now.Train)))
	}
	if then.Val != now.Val {
		if text := differs("annotations of data.val", brief(then.Val), brief(now.Val)); then.Val != "" && now.Val != "" {
			asked = append(asked, text)
		}
	}
	rounds := false
	for _, k := range []struct{ name, then, now string }{
		{"device", then.Device, now.Device}, {"precision", then.Precision, now.Precision},
		{"threads", fmt.Sprint(then.Threads), fmt.Sprint(now.Threads)}, {"instruction set", then.ISA, now.ISA},
	} {
		if k.then != k.now {
			differs(k.name, k.then, k.now)
			rounds = true
		}
	}
	if rounds {
		fmt.Fprintf(o.Log, "          numbers are rounded otherwise from here on: the run does not end to the bit as without the change\n")
	}
	switch {
	case len(never) > 0:
		return fmt.Errorf("%w: %s; its state does not fit: resume with the run's own %s, or begin another run in another -out", ErrChanged, strings.Join(never, "; "), ConfigFile)
	case len(asked) > 0 && !o.Changed:
		return fmt.Errorf("%w: %s; resume with the run's own %s and data, or give -changed to go on all the same", ErrChanged, strings.Join(asked, "; "), ConfigFile)
	}
	return nil
}

// brief returns the beginning of a hash.
func brief(hash string) string {
	if hash == "" {
		return "none"
	}
	return "sha256 " + hash[:min(12, len(hash))]
}
