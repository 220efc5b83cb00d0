package train

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"retinago/config"
)

func TestStepsWithin(t *testing.T) {
	const s = time.Second
	for _, k := range []struct {
		left, step, evaluation time.Duration
		every, want            int
	}{
		{100 * s, s, 0, 0, 100}, {100 * s, s, 10 * s, 0, 90}, {100 * s, s, 10 * s, 10, 45}, {5 * s, s, 10 * s, 0, 0}, {-s, s, 0, 0, 0}, {s, 0, 0, 0, int(s)},
	} {
		if got := stepsWithin(k.left, k.step, k.evaluation, k.every); got != k.want {
			t.Errorf("%+v: %d", k, got)
		}
	}
}

// A run of train.minutes chooses its length after 20 steps. A run that was stopped keeps it; with other minutes it takes -extend.
func TestMinutes(t *testing.T) {
	if testing.Short() {
		t.Skip("three runs of 20 steps and more")
	}
	c := small(t)
	c.Train.Epochs, c.Train.Steps, c.Train.Minutes, c.Data.Val = 0, 0, 1, config.Set{}
	out := t.TempDir()
	// run stops when the log has a text, and returns the log.
	run := func(until string, o Options) string {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		log := &stopAfter{cancel: cancel, text: until}
		o.Out, o.Log = out, log
		if err := Run(ctx, c, o); err != nil {
			t.Fatal(err)
		}
		return log.String()
	}
	chosen := func(log string) int {
		found := regexp.MustCompile(`schedule  (\d+) steps`).FindStringSubmatch(log)
		if found == nil {
			t.Fatalf("no length in\n%s", log)
		}
		n, _ := strconv.Atoi(found[1])
		return n
	}
	steps := chosen(run("what fits into train.minutes", Options{}))
	again := run(" 22/", Options{Resume: true})
	if n := chosen(again); n != steps || n < 30 || strings.Contains(again, "learning rate of step") {
		t.Errorf("%d steps, then\n%s", steps, again)
	}
	c.Train.Minutes = 2
	if err := Run(context.Background(), c, Options{Out: out, Resume: true}); err == nil || !strings.Contains(err.Error(), "-extend allows it") {
		t.Errorf("other minutes: %v", err)
	}
	if n := chosen(run(" 24/", Options{Resume: true, Extend: true})); n != 2*steps {
		t.Errorf("%d steps in twice the time of %d", n, steps)
	}
	// What is over after 20 steps ends there.
	c.Train.Minutes, out = 1e-3, t.TempDir()
	if log := run("never", Options{}); chosen(log) != 20 {
		t.Errorf("no end at step 20:\n%s", log)
	}
}
