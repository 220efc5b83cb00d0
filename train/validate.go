package train

import (
	"errors"
	"fmt"

	"retinago/config"
	"retinago/internal/dataset/data"
)

// Validate checks a configuration before a run: all that config.Config.Validate checks, and the names of the optimiser, the
// schedule and the sampler.
func Validate(c config.Config) error {
	_, optimizer := optimizerNamed(c.Train.Optimizer)
	_, schedule := scheduleNamed(c.Train.Schedule)
	_, sampler := data.FindSampler(c.Data.Sampler)
	if sampler != nil {
		sampler = fmt.Errorf("data.sampler: %w", sampler)
	}
	return errors.Join(c.Validate(), optimizer, schedule, sampler)
}
