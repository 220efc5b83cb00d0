package train

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"retinago/config"
)

// identity is what the processes of a run must have in common.
type identity struct {
	Program    string     `json:"program"` // hash of the executable file
	Conditions conditions `json:"conditions"`
	Step       int        `json:"step"`
	Steps      int        `json:"steps"`
	Tensors    []uint32   `json:"tensors"` // a checksum of each of Loop.tensors
}

// meet returns err, or that of another process, or an error if the processes are not alike. All processes call it before the first step.
func (l *Loop) meet(err error) error {
	if l.world.Size() == 1 {
		return err
	}
	var own identity
	if err == nil {
		own, err = l.identity()
	}
	if err := l.world.Agree(err); err != nil {
		return err
	}
	b, err := json.Marshal(own)
	if err != nil {
		return err
	}
	all, err := l.world.Gather(b)
	if err != nil {
		return err
	}
	return l.world.Agree(l.unlike(all))
}

func (l *Loop) identity() (identity, error) {
	path, err := os.Executable()
	if err != nil {
		return identity{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return identity{}, fmt.Errorf("train: hash of the program: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return identity{}, fmt.Errorf("train: hash of the program: %w", err)
	}
	sums, err := l.checksums()
	return identity{hex.EncodeToString(h.Sum(nil)), l.conditions, l.last.Number, l.schedule.Steps, sums}, err
}

// unlike compares the identities of all processes with that of process 0. It returns an error for the first that differs.
func (l *Loop) unlike(all [][]byte) error {
	first := identity{}
	for p, b := range all {
		var own identity
		if err := json.Unmarshal(b, &own); err != nil {
			return err
		}
		if p == 0 {
			first = own
		}
		differences, err := l.compareIdentities(first, own)
		if err != nil {
			return err
		}
		if n := len(differences); n > 0 {
			more := ""
			if n > maxNamed {
				differences, more = differences[:maxNamed], fmt.Sprintf("; and %d more", n-maxNamed)
			}
			return fmt.Errorf("train: %s and %s must be alike and differ: %s%s; give all processes the same program, configuration, data and weights",
				l.world.Process(0), l.world.Process(p), strings.Join(differences, "; "), more)
		}
	}
	return nil
}

// compareIdentities lists the differences of two identities, as "WHAT: A and B".
func (l *Loop) compareIdentities(a, b identity) (out []string, err error) {
	differs := func(what, a, b string) {
		if a != b {
			out = append(out, fmt.Sprintf("%s: %s and %s", what, a, b))
		}
	}
	differs("program", brief(a.Program), brief(b.Program))
	x, err := config.Parse("config", []byte(a.Conditions.Config))
	if err != nil {
		return nil, err
	}
	y, err := config.Parse("config", []byte(b.Conditions.Config))
	if err != nil {
		return nil, err
	}
	for _, k := range x.Changes(y) {
		if !ownSetting(k.Key) {
			differs(k.Key, k.Before, k.After)
		}
	}
	differs("annotations of data.train", brief(a.Conditions.Train), brief(b.Conditions.Train))
	differs("annotations of data.val", brief(a.Conditions.Val), brief(b.Conditions.Val))
	differs("kind of device", kindOf(a.Conditions.Device), kindOf(b.Conditions.Device))
	differs("precision", a.Conditions.Precision, b.Conditions.Precision)
	differs("instruction set", a.Conditions.ISA, b.Conditions.ISA)
	differs("step", fmt.Sprint(a.Step), fmt.Sprint(b.Step))
	differs("length in steps", fmt.Sprint(a.Steps), fmt.Sprint(b.Steps))
	if name := l.unequal(a.Tensors, b.Tensors); name != "" {
		out = append(out, "weights, first "+name)
	}
	return out, nil
}

// ownSetting reports whether a key of the configuration may differ among the processes: paths, which may differ among machines, and numbers
// of threads.
func ownSetting(key string) bool {
	return slices.Contains([]string{"data.root", "data.train.source", "data.train.images", "data.val.source", "data.val.images", "data.workers",
		"train.threads", "train.convolutions", "train.init_weights"}, key)
}

// kindOf returns cpu or cuda of a device's name.
func kindOf(device string) string {
	kind, _, _ := strings.Cut(device, ":")
	return kind
}

// checksums returns a checksum of each of the run's tensors.
func (l *Loop) checksums() ([]uint32, error) {
	table := crc32.MakeTable(crc32.Castagnoli)
	var sums []uint32
	var v []float32
	var b []byte
	for _, n := range l.tensors() {
		size := n.t.Shape().TotalSize()
		v, b = slices.Grow(v[:0], size)[:size], slices.Grow(b[:0], 4*size)
		if err := l.model.Engine().Download(v, n.t); err != nil {
			return nil, err
		}
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		sums = append(sums, crc32.Checksum(b, table))
	}
	return sums, nil
}

// unequal returns the name of the first tensor with unequal checksums, or an empty text.
func (l *Loop) unequal(a, b []uint32) string {
	for i, n := range l.tensors() {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return n.name
		}
	}
	return ""
}

// sameBitsEvery is how many steps lie between two comparisons of the processes' weights.
const sameBitsEvery = 100

// sameBits is the hook that compares the weights of all processes: every so many steps, before each checkpoint and at the end. They have the
// same bits, unless a machine computes wrongly or otherwise than the others.
type sameBits struct{ checkpoints int }

func (h *sameBits) Reads(step int) Reads {
	return max(periodic(step, sameBitsEvery), periodic(step, h.checkpoints))
}

func (h *sameBits) Begin(context.Context, *Loop) error { return nil }

func (h *sameBits) Step(_ context.Context, l *Loop, s Step) error {
	if h.Reads(s.Number) != ReadsModel {
		return nil
	}
	return l.compareBits()
}

func (h *sameBits) End(_ context.Context, l *Loop, err error) error {
	if err != nil { // other processes may not call it
		return nil
	}
	return l.compareBits()
}

// compareBits returns an error on all processes if they do not have the same weights, moments and averages.
func (l *Loop) compareBits() error {
	own, err := l.checksums()
	if err != nil {
		return err
	}
	var b []byte
	for _, s := range own {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	all, err := l.world.Gather(b)
	if err != nil {
		return err
	}
	sums := func(p int) (out []uint32) {
		for b := all[p]; len(b) > 0; b = b[4:] {
			out = append(out, binary.LittleEndian.Uint32(b))
		}
		return out
	}
	for p := range all {
		if name := l.unequal(sums(0), sums(p)); name != "" {
			return l.world.Agree(fmt.Errorf("train: step %d: %s has other weights than %s, first %s: one of the two machines computes wrongly or otherwise; compare their processors, memory and libraries, and %s",
				l.last.Number, l.world.Process(p), l.world.Process(0), name, l.goOn()))
		}
	}
	return nil
}
