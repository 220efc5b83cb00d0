package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Status is how far work is.
type Status struct {
	What        string        // what is done of how much, such as "step 120/400"
	Done, Total int64         // their share is the bar's; without a Total there is no bar
	Left        time.Duration // until the end; below 0 it is not known
	Notes       []string      // what else is of interest, the most important first
}

// The bar has between leastBar and mostBar characters.
const leastBar, mostBar = 10, 30

// text writes the status in at most so many columns. What does not fit is left out: the last notes first, then the bar, then the time left.
func (s Status) text(columns int) string {
	if columns < 1 {
		return ""
	}
	text := clip(s.What, columns)
	add := func(more string, spare int) bool {
		fits := more != "" && utf8.RuneCountInString(text)+2+utf8.RuneCountInString(more)+spare <= columns
		if fits {
			text += "  " + more
		}
		return fits
	}
	if s.Left >= 0 {
		add("eta "+rounded(s.Left), 0)
	}
	bar := 0
	if free := columns - utf8.RuneCountInString(text) - 3; s.Total > 0 && free >= leastBar {
		bar = leastBar
	}
	room := 0
	if bar > 0 {
		room = bar + 3
	}
	for _, n := range s.Notes {
		if !add(n, room) {
			break
		}
	}
	if bar == 0 {
		return text
	}
	bar = min(mostBar, columns-utf8.RuneCountInString(text)-3)
	full := int(float64(bar) * min(max(float64(s.Done)/float64(s.Total), 0), 1))
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", bar-full) + "] " + text
}

// clip returns the beginning of a text.
func clip(s string, columns int) string {
	if r := []rune(s); len(r) > columns {
		return string(r[:columns])
	}
	return s
}

// rounded writes a duration in steps that can be read: seconds below an hour, minutes above.
func rounded(d time.Duration) string {
	switch {
	case d < time.Hour:
		return d.Round(time.Second).String()
	case d < 100*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

// Left returns the time until work ends that has done so much of a total since it began, if it goes on as fast; -1 where nothing is done.
func Left(begun time.Time, done, total int64) time.Duration {
	if done < 1 || total < 1 {
		return -1
	}
	return time.Duration(float64(time.Since(begun)) / float64(done) * float64(max(total-done, 0)))
}
