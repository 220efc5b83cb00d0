package text

import "testing"

func TestCount(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Count(0, "epoch"): "0 epochs", Count(1, "epoch"): "1 epoch", Count(12, "epoch"): "12 epochs", Count(1, "class"): "1 class", Count(2, "batch"): "2 batches",
		Count(1., "minute"): "1 minute", Count(.5, "minute"): "0.5 minutes",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
