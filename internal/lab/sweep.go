package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"retinago/config"
	"retinago/internal/file"
	"retinago/internal/processors"
	"retinago/internal/text"
	"retinago/train"
)

// Sweep trains and evaluates variants of one configuration.
type Sweep struct {
	Base     config.Config
	Variants []Variant
	Seeds    int       // number of seeds of each variant: Base.Train.Seed and the next ones
	Alphas   []float64 // alphas from which a variant with Tune takes the one with the best AP at the first seed; empty keeps the variants' own
	Against  string    // name of the variant that the others are compared with; empty is the best alpha-balanced cross entropy
	Out      string    // folder
	Pictures int       // number of validation images for Inspect on each variant's first model; 0 is none
	Timed    bool      // measure the time of an image
	Device   string    // of package device; empty is the CPU
	Log      io.Writer // progress, for people
	Locked   bool      // the caller has locked Out (file.Lock)

	often       time.Duration // between lines of progress; 0 is 5 s
	total, done int
	clock       *clock
	first       map[string]string // cells by configuration: equal ones are trained once
	candidates  []Cell            // of Tune
}

// Run trains every cell that is not finished. When ctx is cancelled, Run saves the cell in progress and returns the finished cells. One
// process at a time may run a sweep in Out.
func (s *Sweep) Run(ctx context.Context) (*Results, error) {
	if !s.Locked {
		owner, err := file.Lock(s.Out, s.Log)
		if err != nil {
			return nil, fmt.Errorf("lab: %w", err)
		}
		defer owner.Release()
	}
	if s.Seeds < 1 {
		return nil, fmt.Errorf("lab: %d seeds: give at least 1", s.Seeds)
	}
	if s.Base.Data.Val.Source == "" {
		return nil, errors.New("lab: data.val.source is empty and there is nothing to evaluate on; set it in the configuration or with -set")
	}
	if s.Against != "" && !slices.Contains(names(s.Variants), s.Against) {
		return nil, fmt.Errorf("lab: %w", text.Unknown("no variant", s.Against, names(s.Variants)))
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.first, s.clock = map[string]string{}, &clock{w: s.Log, often: cmp.Or(s.often, 5*time.Second), now: time.Now}
	s.total = len(s.Variants) * s.Seeds
	for _, v := range s.Variants {
		if v.Tune {
			s.total += len(s.Alphas)
		}
	}
	r := &Results{Config: s.Base.String(), Threads: s.Base.Train.Threads, Against: s.Against}
	if r.Threads == 0 {
		r.Threads = processors.Count()
	}
	for i := range s.Seeds {
		r.Seeds = append(r.Seeds, s.Base.Train.Seed+uint64(i))
	}
	err := s.all(ctx, r)
	r.Cells = append(r.Cells, s.candidates...)
	if err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
		return nil, err
	}
	r.Complete = err == nil
	return r, nil
}

// all first chooses alphas, then runs all variants with one seed after another: an interrupted sweep has all variants at few seeds.
func (s *Sweep) all(ctx context.Context, r *Results) error {
	variants := make([]Variant, len(s.Variants))
	for i, v := range s.Variants {
		var err error
		if variants[i], err = s.tune(ctx, v); err != nil {
			return err
		}
	}
	r.Variants = variants
	for i, seed := range r.Seeds {
		for _, v := range variants {
			c, err := s.cell(ctx, v, seed, i == 0 && s.Pictures > 0)
			if err != nil {
				return err
			}
			r.Cells = append(r.Cells, *c)
		}
	}
	return nil
}

// config returns a variant's configuration.
func (s *Sweep) config(v Variant, seed uint64) (config.Config, error) {
	c := s.Base
	err := c.Set(v.Sets)
	if err == nil {
		err = train.Validate(c)
	}
	if err == nil && c.Train.Seed != s.Base.Train.Seed {
		err = errors.New("train.seed differs from the sweep's: every variant runs with the same seeds; remove the setting, or set the first seed with -set")
	}
	if err != nil {
		return c, err
	}
	c.Train.Seed = seed
	return c, nil
}

// mostErrors bounds how many errors check reports.
const mostErrors = 20

// check returns an error for variants with an invalid configuration, before training begins, and prints warnings about settings. An error
// that several variants share is reported once.
func (s *Sweep) check() error {
	var errs []error
	invalid := map[string][]string{} // names of variants by their error
	for _, v := range s.Variants {
		c, err := s.config(v, 0)
		if err != nil {
			if invalid[err.Error()] == nil {
				errs = append(errs, err)
			}
			invalid[err.Error()] = append(invalid[err.Error()], v.Name)
			continue
		}
		for _, w := range c.Warnings() {
			fmt.Fprintf(s.Log, "warning   %s: %s\n", v.Name, w)
		}
	}
	for i, err := range errs {
		errs[i] = fmt.Errorf("%s: %w", text.Brief(invalid[err.Error()]), err)
	}
	if more := len(errs) - mostErrors; more > 0 {
		errs = append(errs[:mostErrors], fmt.Errorf("and %d more errors", more))
	}
	return errors.Join(errs...)
}

// tune trains a variant with each alpha at the first seed and gives it the alpha with the best AP.
func (s *Sweep) tune(ctx context.Context, v Variant) (Variant, error) {
	if !v.Tune || len(s.Alphas) == 0 {
		return v, nil
	}
	best, most := 0.0, -1.0
	var all []string
	for _, a := range s.Alphas {
		k := v
		k.Name, k.Words = v.Name+"-a"+short(a), "candidate for "+v.Name
		k.Sets = append(append([]string{}, v.Sets...), alphaSet(a))
		c, err := s.cell(ctx, k, s.Base.Train.Seed, false)
		if err != nil {
			return v, err
		}
		c.Row.Candidate = v.Name
		s.candidates = append(s.candidates, *c)
		if c.Row.Numbers != nil && c.Row.Numbers.AP > most {
			best, most = a, c.Row.Numbers.AP
		}
		all = append(all, short(a))
	}
	if most < 0 {
		v.Words += "; no alpha of " + strings.Join(all, " ") + " did not diverge"
		return v, nil
	}
	v.Sets = append(append([]string{}, v.Sets...), alphaSet(best))
	v.Words += "; alpha is the best of " + strings.Join(all, " ") + " at the first seed"
	return v, nil
}

// cell returns the results of a variant with a seed. It trains the cell unless it is finished.
func (s *Sweep) cell(ctx context.Context, v Variant, seed uint64, inspect bool) (*Cell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := s.config(v, seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.Name, err)
	}
	name := filepath.Join("cells", v.Name, fmt.Sprintf("seed-%d", seed))
	row := Row{Variant: v.Name, Words: v.Words, Settings: settings(v.Sets), Seed: seed}
	if other, ok := s.first[c.String()]; ok {
		row.SameAs, name = other, other
	}
	s.first[c.String()] = name
	dir := filepath.Join(s.Out, name)
	owner, err := file.Lock(dir, s.Log)
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	defer owner.Release()
	out, err := finished(dir, c, s.Device)
	if err != nil {
		return nil, err
	}
	s.done++
	switch {
	case out == nil:
		s.clock.begin(fmt.Sprintf("cell %d/%d  %s seed %d", s.done, s.total, v.Name, seed), s.total-s.done)
		if out, err = s.run(ctx, dir, c, row, inspect, s.clock); err != nil {
			return nil, err
		}
		s.clock.end(out.Row)
	case inspect && out.View == nil && out.Row.Diverged == nil: // the chosen candidate of tune, or a cell of a sweep without views
		if err := s.after(ctx, out, filepath.Join(dir, train.LastModel), true, false); err != nil {
			return nil, err
		}
		if err := out.save(dir); err != nil {
			return nil, err
		}
	}
	// The name is this sweep's; the results are the cell's.
	out.Row.Variant, out.Row.Words, out.Row.Settings, out.Row.SameAs = row.Variant, row.Words, row.Settings, row.SameAs
	return out, nil
}

// settings returns a variant's settings, each once with its last value.
func settings(sets []string) []string {
	var out []string
	at := map[string]int{}
	for _, s := range sets {
		key, _, _ := strings.Cut(s, "=")
		if i, ok := at[key]; ok {
			out[i] = s
			continue
		}
		at[key] = len(out)
		out = append(out, s)
	}
	return out
}
