package train

import (
	"fmt"
	"strings"

	"retinago/config"
)

// Param is a setting of an optimiser or a schedule: a key below train in a configuration.
type Param struct {
	Key      string // without "train."
	Default  string
	Min, Max string // allowed, both included unless Text says otherwise
	Text     string
}

// OptimizerKind is an optimiser that train.optimizer can name.
type OptimizerKind struct {
	Name    string
	Text    string // one line
	Params  []Param
	Moments int // number of tensors of the parameter's shape that the optimiser keeps for each parameter
	// New returns the optimiser's rule with the settings of a configuration.
	New func(c config.Train) Rule
}

// Optimizers lists all optimisers.
var Optimizers = []OptimizerKind{sgd, adam, adamW}

// ScheduleKind is a schedule of the learning rate that train.schedule can name.
type ScheduleKind struct {
	Name   string
	Text   string // one line
	Params []Param
	// New returns the learning rate after warm-up at a step, counted from 0. It may set s.Milestones.
	New func(c config.Train, s *Schedule) func(step int) float64
}

// Schedules lists all schedules.
var Schedules = []ScheduleKind{multistep, cosine, cosineRestarts, oneCycle, constant}

// optimizerNamed returns the optimiser with a name. The error for an unknown name lists all.
func optimizerNamed(name string) (OptimizerKind, error) {
	return byName(Optimizers, func(k OptimizerKind) string { return k.Name }, "train.optimizer", name)
}

// scheduleNamed returns the schedule with a name. The error for an unknown name lists all.
func scheduleNamed(name string) (ScheduleKind, error) {
	return byName(Schedules, func(k ScheduleKind) string { return k.Name }, "train.schedule", name)
}

func byName[K any](all []K, nameOf func(K) string, key, name string) (K, error) {
	var names []string
	for _, k := range all {
		if nameOf(k) == name {
			return k, nil
		}
		names = append(names, nameOf(k))
	}
	const most = 64
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "..."
	}
	var none K
	return none, fmt.Errorf("%s is %q, want one of %s", key, name, strings.Join(names, ", "))
}
