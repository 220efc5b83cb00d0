package progress

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	t.Parallel()
	s := Status{What: "step 120/400", Done: 120, Total: 400, Left: 130 * time.Second, Notes: []string{"loss 0.4127", "epoch 1.20", "0.462 s/step"}}
	unknown := Status{What: "frame 7", Done: 7, Left: -1, Notes: []string{"3 objects"}}
	for _, k := range []struct {
		s       Status
		columns int
		want    string
	}{
		{s, 100, "[#########---------------------] step 120/400  eta 2m10s  loss 0.4127  epoch 1.20  0.462 s/step"},
		{s, 200, "[#########---------------------] step 120/400  eta 2m10s  loss 0.4127  epoch 1.20  0.462 s/step"},
		{s, 76, "[###--------] step 120/400  eta 2m10s  loss 0.4127  epoch 1.20  0.462 s/step"},
		{s, 74, "[######-----------------] step 120/400  eta 2m10s  loss 0.4127  epoch 1.20"},
		{s, 50, "[###--------] step 120/400  eta 2m10s  loss 0.4127"},
		{s, 40, "[####----------] step 120/400  eta 2m10s"},
		{s, 30, "step 120/400  eta 2m10s"},
		{s, 20, "step 120/400"},
		{s, 6, "step 1"},
		{s, 0, ""},
		{s, -3, ""},
		{unknown, 80, "frame 7  3 objects"},
		{Status{What: "a", Done: 9, Total: 4, Left: 0}, 30, "[##################] a  eta 0s"},
	} {
		if got := k.s.text(k.columns); got != k.want {
			t.Errorf("%d columns: %q, want %q", k.columns, got, k.want)
		}
	}
	for columns := range 120 {
		got := s.text(columns)
		if n := utf8.RuneCountInString(got); n > columns {
			t.Errorf("%d columns: %d characters", columns, n)
		}
		if strings.ContainsAny(got, "\x1b\n\r") {
			t.Errorf("%d columns: commands in %q", columns, got)
		}
	}
}

func TestRounded(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 1400 * time.Millisecond: "1s", 59*time.Minute + 59*time.Second: "59m59s", 90*time.Minute + 40*time.Second: "1h31m", 240 * time.Hour: "10 days",
	} {
		if got := rounded(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	begun := time.Now().Add(-10 * time.Second)
	if got := Left(begun, 20, 60); got < 19*time.Second || got > 25*time.Second {
		t.Errorf("a third in 10 s leaves %v", got)
	}
	if Left(begun, 0, 60) >= 0 || Left(begun, 3, 0) >= 0 {
		t.Error("a time is known before anything is done, or without a total")
	}
	if got := Left(begun, 61, 60); got != 0 {
		t.Errorf("beyond the end: %v", got)
	}
}
