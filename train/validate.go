package train

import (
	"errors"

	"retinago/config"
)

// Validate checks a configuration before a run: all that config.Config.Validate checks, and the names of the optimiser and the
// schedule, which this package owns.
func Validate(c config.Config) error {
	_, optimizer := optimizerNamed(c.Train.Optimizer)
	_, schedule := scheduleNamed(c.Train.Schedule)
	return errors.Join(c.Validate(), optimizer, schedule)
}
