package train

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
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
	Processes int    `json:"processes,omitempty"` // 0 is one
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

// digest returns a hash of a dataset: its categories, its boxes, and the names and sizes of its images in their order.
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

// Keys of the configuration by what their change means for a run that resumes. A key of no list needs Options.Change.
var (
	// otherRun are the keys after whose change the state does not fit.
	otherRun = []string{"model.", "train.seed", "train.batch", "train.optimizer", "data.val_share", "data.val_seed", "data.sampler", "data.repeat_threshold"}
	// otherLength are the keys of the run's length, which need Options.Extend.
	otherLength = []string{"train.epochs", "train.steps", "train.minutes"}
	// otherTask are the keys that change what the model learns or how it is evaluated. Options.Changed allows all of them.
	otherTask = []string{"match.", "loss.", "data.short_sides", "data.max_side", "data.canvas_multiple", "data.fast_decode", "data.flip", "data.augment", "data.min_visible",
		"data.mean", "data.std", "train.augment_until"}
	// sameRun are the keys that may change: nothing learned depends on them. Datasets are compared by their annotations, not by their paths.
	sameRun = []string{"train.log_every", "train.eval_every", "train.checkpoint_every", "train.threads", "train.convolutions", "train.recompute_heads", "train.init_weights",
		"data.root", "data.train.", "data.val.", "data.classes", "data.rename", "data.workers", "infer."}
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

// checkChange returns an error for a name in Options.Change that is neither a key nor a group of keys, or of which no key may change.
func checkChange(names []string) error {
	keys := config.Keys()
	for _, name := range names {
		if isOf(name, otherLength) {
			return fmt.Errorf("train: -change %s: that is the length of a run: give -extend", name)
		}
		known, fits := false, false
		for _, k := range keys {
			if allows(name, k) {
				known, fits = true, fits || !isOf(k, otherRun)
			}
		}
		switch {
		case !known:
			return fmt.Errorf("train: -change %s: there is no such key or group of keys; give one that docs/config.md lists, such as train.lr or loss", name)
		case !fits:
			return fmt.Errorf("train: -change %s: the state of a run does not fit another %[1]s: begin another run in another -out", name)
		}
	}
	return nil
}

// allows reports whether a name in Options.Change covers a key: it is the key or a group that has it.
func allows(name, key string) bool { return key == name || strings.HasPrefix(key, name+".") }

// covered reports whether Options.Change or Options.Changed allows a key to change.
func (o Options) covered(key string) bool {
	return o.Changed && (isOf(key, otherTask) || key == "data.train" || key == "data.val") ||
		slices.ContainsFunc(o.Change, func(name string) bool { return allows(name, key) })
}

// compare prints the differences between a state and the run that resumes from it. It returns an error if the state does not fit.
func (l *Loop) compare(s state, path string, before config.Config, o Options) error {
	fmt.Fprintf(o.Log, "resume    at step %d of %s\n", s.Step, path)
	if s.Conditions == nil {
		if now := l.fingerprint(); s.Fingerprint != now {
			return fmt.Errorf("train: %s was written by another run: %q then, %q now; resume with the run's own %s", path, s.Fingerprint, now, ConfigFile)
		}
		fmt.Fprintf(o.Log, "warning   %s is of an earlier version: whether config, annotations, threads and instruction set are as they were is not known\n", path)
	} else if err := l.compareConditions(s, before, o); err != nil {
		return fmt.Errorf("train: %s: %w", path, err)
	}
	if s.Step > l.schedule.Steps {
		return fmt.Errorf("train: %s is at step %d, beyond the %d that are to be taken: raise train.steps, train.epochs or train.minutes", path, s.Step, l.schedule.Steps)
	}
	return nil
}

// differences are the settings of a run that are not as they were, by what they need. Each is a text with the key, then and now.
type differences struct {
	never   []string // no option allows them
	refused []string // an option allows them that was not given
	task    bool     // Options.Changed allows some of these
}

// ask adds a difference that the option in flag allows.
func (d *differences) ask(text, flag string, allowed bool) {
	if !allowed {
		d.refused = append(d.refused, text+" ("+flag+" allows it)")
	}
}

func (d *differences) err() error {
	switch {
	case len(d.never) > 0:
		return fmt.Errorf("%w: %s; its state does not fit: resume with the run's own %s, or begin another run in another -out", ErrChanged, strings.Join(d.never, "; "), ConfigFile)
	case len(d.refused) > 0:
		also := ""
		if d.task {
			also = "; or give -changed, which allows other losses, matching, sizes and annotations"
		}
		return fmt.Errorf("%w: %s; resume with the run's own %s and data, or allow each change%s", ErrChanged, strings.Join(d.refused, "; "), ConfigFile, also)
	}
	return nil
}

// compareConditions compares those of a state, whose config is before, with the run's.
func (l *Loop) compareConditions(s state, before config.Config, o Options) error {
	then, now := *s.Conditions, l.conditions
	var d differences
	differs := func(key, before, after string) string {
		text := fmt.Sprintf("%s: %s then, %s now", key, before, after)
		fmt.Fprintf(o.Log, "changed   %s\n", text)
		return text
	}
	for _, k := range before.Changes(l.config) {
		text := differs(k.Key, k.Before, k.After)
		switch {
		case isOf(k.Key, otherRun), k.Key == "train.ema" && (before.Train.EMA == 0 || l.config.Train.EMA == 0):
			d.never = append(d.never, text)
		case isOf(k.Key, otherLength):
			d.ask(text, "-extend", o.Extend)
		case !isOf(k.Key, sameRun):
			d.ask(text, "-change "+k.Key, o.covered(k.Key))
			d.task = d.task || isOf(k.Key, otherTask)
		}
	}
	if then.Pictures != now.Pictures {
		d.never = append(d.never, differs("images of data.train", fmt.Sprint(then.Pictures), fmt.Sprint(now.Pictures)))
	} else if then.Train != now.Train {
		d.ask(differs("annotations of data.train", brief(then.Train), brief(now.Train)), "-change data.train", o.covered("data.train"))
		d.task = true
	}
	if then.Val != now.Val {
		if text := differs("annotations of data.val", brief(then.Val), brief(now.Val)); then.Val != "" && now.Val != "" {
			d.ask(text, "-change data.val", o.covered("data.val"))
			d.task = true
		}
	}
	rounds := false
	for _, k := range []struct{ name, then, now string }{
		{"device", then.Device, now.Device}, {"precision", then.Precision, now.Precision},
		{"processes", fmt.Sprint(max(then.Processes, 1)), fmt.Sprint(max(now.Processes, 1))},
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
	if err := d.err(); err != nil {
		return err
	}
	l.compareRates(before.Train, s, o)
	return nil
}

// compareRates prints the learning rate of the next step where it is another than the run so far would have had: in a longer run, the
// schedule's milestones come later.
func (l *Loop) compareRates(before config.Train, s state, o Options) {
	if _, err := scheduleNamed(before.Schedule); err != nil {
		return
	}
	step, then := s.Step, NewSchedule(before, l.loader.BatchesPerEpoch())
	if s.Chosen > 0 {
		then = newSchedule(before, then.Epoch, s.Chosen)
	}
	if a, b := then.At(step), l.schedule.At(step); a != b && step < then.Steps {
		fmt.Fprintf(o.Log, "          the learning rate of step %d is %.3g, without the changes %.3g\n", step+1, b, a)
	}
}

// brief returns the beginning of a hash.
func brief(hash string) string {
	if hash == "" {
		return "none"
	}
	return "sha256 " + hash[:min(12, len(hash))]
}
