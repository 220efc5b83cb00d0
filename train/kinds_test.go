package train

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"retinago/config"
)

// The defaults and ranges of the tables are those of package config.
func TestParams(t *testing.T) {
	var all []Param
	for _, k := range Optimizers {
		all = append(all, k.Params...)
	}
	for _, k := range Schedules {
		all = append(all, k.Params...)
	}
	for _, p := range all {
		set := func(value string) (config.Config, error) {
			c := config.Default()
			return c, c.Set([]string{"train." + p.Key + "=" + value})
		}
		c := config.Default()
		if err := c.Set([]string{"train." + p.Key + "=" + p.Default}); err != nil || c.String() != config.Default().String() {
			t.Errorf("%s: the default is not %s, %v", p.Key, p.Default, err)
		}
		low, err := strconv.ParseFloat(p.Min, 64)
		if err != nil {
			continue // true and false
		}
		high, err := strconv.ParseFloat(p.Max, 64)
		if err != nil {
			t.Fatal(err)
		}
		form := "%g"
		if strings.HasPrefix(p.Default, "[") {
			form = "[%g]"
		}
		near := 1e-3 * (high - low)
		if _, err := set(fmt.Sprintf(form, low+.5)); err != nil && strings.Contains(err.Error(), "whole number") {
			near = 1
		}
		for value, fits := range map[float64]bool{low - 1e-3: false, low + near: true, high - near: true, high + near: false} {
			if _, err := set(fmt.Sprintf(form, value)); (err == nil) != fits {
				t.Errorf("%s=%g: %v", p.Key, value, err)
			}
		}
	}
}

// An unknown name is refused with the known ones.
func TestValidateNames(t *testing.T) {
	for _, k := range []struct {
		change func(*config.Train)
		want   string
	}{
		{func(c *config.Train) { c.Optimizer = "sdg" }, `train.optimizer is "sdg", want one of sgd, adam, adamw`},
		{func(c *config.Train) { c.Schedule = "" }, `train.schedule is "", want one of multistep, cosine, cosine_restarts, one_cycle, constant`},
		{func(c *config.Train) { c.LR = -1 }, "train.lr is -1"},
		{func(c *config.Train) { c.Schedule = strings.Repeat("x", 900) }, `xxx...", want one of`},
	} {
		c := config.Default()
		k.change(&c.Train)
		if err := Validate(c); err == nil || !strings.Contains(err.Error(), k.want) || len(err.Error()) > 200 {
			t.Errorf("%v, want %q", err, k.want)
		}
	}
	if err := Validate(config.Default()); err != nil {
		t.Error(err)
	}
}
