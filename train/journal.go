package train

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"retinago/internal/file"
	"retinago/internal/memory"
)

// journal writes log.jsonl, with one line for each step and each evaluation. A checkpoint syncs the journal before it writes the state,
// so that every step of the state has its line. A resumed run drops later lines and takes those steps again.
type journal struct{ f *file.File }

// record is a line of log.jsonl.
type record struct {
	Step  int
	Stats []float64 // of an evaluation
	text  []byte
}

// maxLog is the largest log that is read, in bytes. A step's line has a few hundred bytes.
const maxLog = 4 << 30

// readJournal reads the log in a run's folder. An absent log has no records. damaged is the number of lines that are not records.
func readJournal(dir string) (all []record, damaged int, err error) {
	text, err := file.Read(filepath.Join(dir, LogFile), maxLog)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("train: %w", err)
	}
	for line := range bytes.Lines(text) {
		r := record{text: line}
		if json.Unmarshal(line, &r) != nil || r.Step < 1 || r.Stats != nil && len(r.Stats) != 12 || !bytes.HasSuffix(line, []byte("\n")) {
			damaged++
			continue
		}
		all = append(all, r)
	}
	return all, damaged, nil
}

// upTo returns the records of the steps up to step and of the given evaluations, each once. noStep and noStats list the steps and
// evaluations that have no record.
func upTo(all []record, step int, evaluated []int) (keep []record, noStep, noStats []int) {
	steps, stats := map[int]bool{}, map[int]bool{}
	for _, r := range all {
		seen, wanted := steps, r.Step <= step
		if r.Stats != nil {
			seen, wanted = stats, slices.Contains(evaluated, r.Step)
		}
		if wanted && !seen[r.Step] {
			seen[r.Step] = true
			keep = append(keep, r)
		}
	}
	for i := 1; i <= step; i++ {
		if !steps[i] {
			noStep = append(noStep, i)
		}
	}
	for _, i := range evaluated {
		if !stats[i] {
			noStats = append(noStats, i)
		}
	}
	return keep, noStep, noStats
}

// ranges writes rising numbers as in "3-5, 9".
func ranges(n []int) string {
	var out []string
	for i := 0; i < len(n); {
		j := i + 1
		for j < len(n) && n[j] == n[j-1]+1 {
			j++
		}
		text := fmt.Sprint(n[i])
		if j > i+1 {
			text += fmt.Sprintf("-%d", n[j-1])
		}
		if out = append(out, text); len(out) == maxNamed && j < len(n) {
			return strings.Join(out, ", ") + " and more"
		}
		i = j
	}
	return strings.Join(out, ", ")
}

// newJournal opens the log of a run that resumes after a step with the given evaluations. It drops all other lines: a killed run wrote
// them after its last checkpoint, and the resumed run writes them again. w receives the dropped and the missing lines.
func newJournal(dir string, step int, evaluated []int, w io.Writer) (*journal, error) {
	all, damaged, err := readJournal(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, LogFile)
	keep, noStep, noStats := upTo(all, step, evaluated)
	if n := len(all) - len(keep); n > 0 {
		fmt.Fprintf(w, "log       %d lines of %s are dropped: they are of steps and evaluations after the last checkpoint, or there twice\n", n, path)
	}
	if damaged > 0 {
		fmt.Fprintf(w, "warning   %d lines of %s cannot be read and are dropped\n", damaged, path)
	}
	if len(noStep) > 0 {
		fmt.Fprintf(w, "warning   %s lacks the steps %s\n", path, ranges(noStep))
	}
	if len(noStats) > 0 {
		fmt.Fprintf(w, "warning   %s lacks the evaluations of the steps %s\n", path, ranges(noStats))
	}
	if len(keep) < len(all) || damaged > 0 {
		err := file.Write(path, func(w *bufio.Writer) error {
			for _, r := range keep {
				w.Write(r.text) // Flush returns the error
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
	}
	f, err := file.Append(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return &journal{f}, nil
}

func (j *journal) write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.f.Write(append(b, '\n'))
	return err
}

// sync writes all lines to the disk, so that a power cut does not lose them.
func (j *journal) sync() error { return j.f.Sync() }

func (j *journal) close() error { return errors.Join(j.sync(), j.f.Close()) }

func (j *journal) Reads(int) Reads { return ReadsNumbers }

func (j *journal) Begin(context.Context, *Loop) error { return nil }

func (j *journal) Step(_ context.Context, l *Loop, s Step) error {
	line := map[string]any{"step": s.Number, "epoch": l.epochs(), "loss": s.Losses.Total(), "class_loss": s.Losses.Class,
		"box_loss": s.Losses.Box, "positives": s.Positives, "lr": s.LR, "grad_norm": s.GradNorm, "step_s": s.Took.Seconds(),
		"wait_s": s.Wait.Seconds(), "rss_mb": float64(memory.Resident()) / (1 << 20)}
	if s.LossScale > 0 {
		line["loss_scale"], line["skipped"] = s.LossScale, s.Skipped
	}
	if s.Exchange > 0 {
		line["exchange_s"] = s.Exchange.Seconds()
	}
	return j.write(line)
}

func (j *journal) End(context.Context, *Loop, error) error { return nil }
