package cpu

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/internal/file"
)

// kernelVersion is raised when the speed of retinago's own kernels changes, which makes earlier measurements invalid.
const kernelVersion = 4

// margin is the share of time that a kernel must save to be chosen against the rule: a smaller difference may be chance.
const margin = .1

// unsteady is the ratio of median and shortest time of a kernel above which other programs disturbed the measurement.
const unsteady = 1.3

// machine identifies the machine for which measurements hold.
type machine struct {
	CPU     string `json:"cpu"`
	ISA     string `json:"isa"`
	Threads int    `json:"threads"`
	OneDNN  string `json:"onednn"`
	Kernels int    `json:"kernels"`
}

// shape is the shape of a convolution, by which measurements are stored.
type shape struct {
	Pass   string `json:"pass"`
	N      int    `json:"n"`
	H      int    `json:"h"`
	W      int    `json:"w"`
	C      int    `json:"c"`
	K      int    `json:"k"`
	Kernel int    `json:"kernel"`
	Stride int    `json:"stride"`
	Groups int    `json:"groups"`
}

// choice is the result of a measurement.
type choice struct {
	shape
	Own      bool    `json:"own"`
	OwnMS    float64 `json:"own_ms"`
	OneDNNMS float64 `json:"onednn_ms"`
}

// choices keeps the results of measurements in memory and in a file of this machine.
type choices struct {
	machine machine
	path    string // empty where the system has no place for caches
	warn    func(error)
	known   map[shape]choice
	unsure  map[shape]bool // whose measurements were unsteady: the rule's for this process, and measured anew by the next
}

// ChoicesDir is the folder of the files in which measured choices of convolutions are kept, JSON for people to read and safe
// to delete. It is empty where the system has none.
func ChoicesDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "retinago")
}

// Choices returns the path of the file with this engine's measured choices, empty if there is none.
func (e *Engine) Choices() string {
	if e.choices == nil {
		return ""
	}
	return e.choices.path
}

func newChoices(threads int, warn func(error)) *choices {
	if warn == nil {
		warn = func(error) {}
	}
	name, _ := ISA() // the engine runs: there is no error
	c := &choices{machine: machine{Processor(), name, threads, LibraryVersion(), kernelVersion}, warn: warn, known: map[shape]choice{}, unsure: map[shape]bool{}}
	if dir := ChoicesDir(); dir != "" {
		h := fnv.New32a()
		fmt.Fprintf(h, "%+v", c.machine)
		c.path = filepath.Join(dir, fmt.Sprintf("convolutions-%s-%d-%08x.json", name, threads, h.Sum32()))
	}
	if err := c.read(); err != nil {
		c.warn(fmt.Errorf("%w; it is written anew", err))
	}
	return c
}

// contents is the JSON of the file.
type contents struct {
	Machine machine  `json:"machine"`
	Choices []choice `json:"choices"`
}

// read adds the choices of the file that are not in memory.
func (c *choices) read() error {
	if c.path == "" {
		return nil
	}
	b, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cpu: choices of convolutions: %w", err)
	}
	var f contents
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("cpu: choices of convolutions: %s: %w", c.path, err)
	}
	if f.Machine != c.machine {
		return fmt.Errorf("cpu: choices of convolutions: %s is of %+v, this is %+v", c.path, f.Machine, c.machine)
	}
	for _, have := range f.Choices {
		if _, ok := c.known[have.shape]; !ok {
			c.known[have.shape] = have
		}
	}
	return nil
}

// write stores the choices, together with those that other processes have measured meanwhile.
func (c *choices) write() error {
	if c.path == "" {
		return nil
	}
	c.read() // a broken file is replaced; New has warned about it
	f := contents{Machine: c.machine}
	for _, have := range c.known {
		f.Choices = append(f.Choices, have)
	}
	slices.SortFunc(f.Choices, func(a, b choice) int { return strings.Compare(fmt.Sprint(a.shape), fmt.Sprint(b.shape)) })
	if err := os.MkdirAll(filepath.Dir(c.path), 0o755); err != nil {
		return err
	}
	return file.WriteJSON(c.path, " ", f)
}

// get returns the choice for a shape, and measures it if the shape is new.
func (c *choices) get(p pass, s *conv, measure timer) bool {
	key := shape{passes[p], int(s.n), int(s.h), int(s.w), int(s.c), int(s.k), int(s.r), int(s.stride), int(s.groups)}
	if have, ok := c.known[key]; ok {
		return have.Own
	}
	if c.unsure[key] {
		return rule(p, s)
	}
	oneDNN, own, err := measure(p, s)
	if err != nil { // memory for it, at most: what computes will say so itself
		return rule(p, s)
	}
	if max(oneDNN.median/oneDNN.least, own.median/own.least) > unsteady {
		c.unsure[key] = true
		return rule(p, s)
	}
	c.known[key] = choice{key, decide(oneDNN.least, own.least, rule(p, s)), 1e3 * own.least, 1e3 * oneDNN.least}
	if err := c.write(); err != nil {
		c.warn(fmt.Errorf("cpu: choices of convolutions are not kept: %w", err))
		c.path = "" // once is enough
	}
	return c.known[key].Own
}

// decide reports whether retinago's own kernel is chosen: the faster one is, or the rule's if the times are close, so that two
// measurements seldom lead to different choices.
func decide(oneDNN, own float64, rule bool) bool {
	if own < (1-margin)*oneDNN {
		return true
	}
	return rule && oneDNN >= (1-margin)*own
}

// Processor returns the model name of the first processor in /proc/cpuinfo, empty if there is none.
func Processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
