//go:build campaign

package campaign

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// counter counts what was tried and what held, prints how it goes, and becomes a row of the table. It may be used by several goroutines.
type counter struct {
	t     *testing.T
	what  string
	whole int // to be tried; 0 is unknown
	unit  string

	mu          sync.Mutex
	tried, held int
	begin, told time.Time
	failures    int
}

// mostFailures are told one by one. A part with enoughFailures ends.
const (
	mostFailures   = 30
	enoughFailures = 300
)

func newCounter(t *testing.T, what, unit string, whole int) *counter {
	now := time.Now()
	if whole > 0 {
		fmt.Printf("%s: %d %s\n", what, whole, unit)
	}
	return &counter{t: t, what: what, whole: whole, unit: unit, begin: now, told: now}
}

// hold counts n items that held.
func (c *counter) hold(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried, c.held = c.tried+n, c.held+n
	c.progress()
}

// fail counts one item that did not, and says why.
func (c *counter) fail(format string, a ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried++
	if c.failures++; c.failures <= mostFailures {
		c.t.Errorf("%s: %s", c.what, fmt.Sprintf(format, a...))
	} else if c.failures == mostFailures+1 {
		c.t.Errorf("%s: and more, which are only counted", c.what)
	}
	c.progress()
}

func (c *counter) enough() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures >= enoughFailures
}

// progress prints a line every ten seconds, with the time that the rest takes.
func (c *counter) progress() {
	now := time.Now()
	if now.Sub(c.told) < 10*time.Second {
		return
	}
	c.told = now
	left := ""
	if c.whole > 0 && c.tried > 0 {
		rest := time.Duration(float64(now.Sub(c.begin)) * float64(c.whole-c.tried) / float64(c.tried))
		left = fmt.Sprintf(" of %d, %s left", c.whole, rest.Round(time.Second))
	}
	fmt.Printf("%s: %d%s, %d did not hold\n", c.what, c.tried, left, c.tried-c.held)
}

// row ends the count with a line of the table: what, tried, held, figure. An interrupted part says so.
func (c *counter) row(format string, a ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	figure := fmt.Sprintf(format, a...)
	switch {
	case c.failures >= enoughFailures:
		figure += "; ended early, too much failed"
	case c.whole > 0 && c.tried < c.whole && stop.Err() == nil:
		c.t.Errorf("%s: only %d of %d were tried", c.what, c.tried, c.whole)
	}
	if stop.Err() != nil {
		figure = strings.TrimPrefix(figure+"; interrupted", "; ")
		c.t.Errorf("%s: interrupted after %d %s", c.what, c.tried, c.unit)
	}
	line := fmt.Sprintf("| %s | %d %s | %d | %s |\n", c.what, c.tried, c.unit, c.held, figure)
	fmt.Printf("%s   (%s)\n", line, time.Since(c.begin).Round(time.Second))
	path := os.Getenv("RETINAGO_CAMPAIGN_ROWS") // where make test-long collects the lines
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer f.Close()
	if _, err := f.WriteString(line); err != nil {
		c.t.Error(err)
	}
}
