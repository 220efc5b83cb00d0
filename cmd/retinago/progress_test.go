package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/infer"
	sources "retinago/internal/media/source"
	"retinago/internal/progress"
	"retinago/internal/progress/pty"
	"retinago/train"
)

// inTerminal runs a command line in a terminal of so many columns, of which it has the keyboard. typed may type when it sees the output so
// far. It returns the exit code, all output, and the rows that are left in the terminal.
func inTerminal(t *testing.T, columns int, env []string, typed func(p *pty.Terminal, output string), args ...string) (code int, output string, rows []string) {
	t.Helper()
	p, err := pty.Open(columns)
	if err != nil {
		t.Skipf("no terminal can be opened here: %v", err)
	}
	c := exec.Command(os.Args[0], args...)
	c.Env = append(append(os.Environ(), "RETINAGO_TEST_MAIN=1", "TERM=xterm", "COLUMNS="), env...)
	c.Stdin, c.Stdout, c.Stderr = p.File, p.File, p.File
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.Watch(func(output string) {
		if typed != nil {
			typed(p, output)
		}
	})
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	err = c.Wait()
	output = p.Output()
	rows, unknown := pty.Rows(output)
	if unknown != nil {
		t.Error(unknown)
	}
	if c.ProcessState.ExitCode() < 0 && err != nil {
		t.Errorf("%v: %v", args, err)
	}
	return c.ProcessState.ExitCode(), output, rows
}

// clean checks that no state of the line is left in the rows of a terminal.
func clean(t *testing.T, rows []string) {
	t.Helper()
	for _, row := range rows {
		if strings.HasPrefix(row, "[#") || strings.HasPrefix(row, "[-") {
			t.Errorf("the line is left in the terminal: %q", row)
		}
	}
	if last := rows[len(rows)-1]; last != "" {
		t.Errorf("the terminal ends within a line: %q", last)
	}
}

// In a terminal, training shows its steps in one line and an evaluation in another; elsewhere, and in a terminal that cannot go back in a
// line, it prints lines.
func TestTrainInTerminal(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	args := func(run string) []string {
		return append([]string{"train", "-out", run}, tiny(dir, "train.steps=4", "train.eval_every=2")...)
	}
	code, output, rows := inTerminal(t, 100, []string{"NO_COLOR=1"}, nil, args(run)...)
	clean(t, rows)
	shown := strings.Join(rows, "\n")
	if code != 0 || strings.Contains(shown, "s/step") || strings.Contains(shown, "Average Precision") {
		t.Errorf("exit code %d, the terminal has\n%s", code, shown)
	}
	wants(t, output, "[#######-----------------------] step 1/4  eta ", "s/step", "epoch 0.17", "] evaluation ")
	wants(t, shown, "evaluation at step 2, epoch 0.33  AP ", "AP50 ", "best so far", "evaluation at step 4", "best      AP ", "in "+filepath.Join(run, train.BestModel), "this took", "retinago detect "+run)
	if logged(run) != 6 {
		t.Errorf("the log has %d lines, want 4 steps and 2 evaluations", logged(run))
	}
	_, output, rows = inTerminal(t, 100, []string{"TERM=dumb"}, nil, args(run+"2")...)
	if strings.ContainsAny(output, "\x1b") || !strings.Contains(output, "step 4/4  epoch") || !strings.Contains(output, "maxDets=100") {
		t.Errorf("in a dumb terminal:\n%s", output)
	}
	clean(t, rows)
	if out := ok(t, args(run+"3")...); strings.ContainsAny(out, "\x1b\r") || !strings.Contains(out, "step 1/4  epoch") || strings.Count(out, "maxDets=100") != 20 {
		t.Errorf("in a pipe:\n%s", out)
	}
}

// Ctrl-C leaves the terminal clean, from its message on: a second one kills. So does an error.
func TestInterruptInTerminal(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	typed := false
	code, output, rows := inTerminal(t, 60, nil, func(p *pty.Terminal, output string) {
		if !typed && strings.Contains(output, "step 3/") {
			typed = true
			p.Type("\x03")
		}
	}, append([]string{"train", "-out", run}, tiny(dir, "train.steps=100000", "train.checkpoint_every=0")...)...)
	clean(t, rows)
	if shown := strings.Join(rows, "\n"); code != 0 || !strings.Contains(shown, "finishing what is under way") || !strings.Contains(shown, "retinago train -resume "+run) {
		t.Errorf("exit code %d\n%s", code, shown)
	}
	before, after, _ := strings.Cut(output, "stops at once\r\n")
	if strings.Contains(after, "[K[") || !strings.HasSuffix(before, "finishing what is under way; Ctrl-C again ") {
		t.Errorf("there is a line after the message:\n%q", output)
	}
	code, _, rows = inTerminal(t, 60, nil, nil, "train", "-resume", run, "-set", "train.steps=1000", "-extend", "-set", "data.workers=-1")
	clean(t, rows)
	if code != 1 {
		t.Errorf("a wrong setting: exit code %d", code)
	}
}

// Detection, evaluation and the check of a dataset show how far they are, below what they print.
func TestVerbsInTerminal(t *testing.T) {
	dir := shapes(t)
	model := filepath.Join(t.TempDir(), "m.safetensors")
	seeded(t, model)
	images, json := filepath.Join(dir, "train"), filepath.Join(dir, "train.json")
	for name, k := range map[string]struct {
		args  []string
		wants []string // in the line
		shown []string // in the end
	}{
		"detect": {[]string{"detect", model, images, "-json", filepath.Join(dir, "a.json")}, []string{"] files ", "/12  eta "}, []string{"00001.jpg: ", "00012.jpg: ", "12 images"}},
		"quiet":  {[]string{"detect", model, images, "-json", filepath.Join(dir, "b.json"), "-quiet"}, nil, []string{"12 images"}},
		"eval":   {[]string{"eval", "-weights", model, "-data", json, "-images", images, "-rename", "circle=a", "-rename", "square=b"}, []string{"] images ", "/12  eta "}, []string{"maxDets=100", "12 images in"}},
		"check":  {[]string{"data", "check", json, "-images", images}, []string{"] images ", "/12  eta "}, []string{"train.json: 12 images"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, output, rows := inTerminal(t, 70, nil, nil, k.args...)
			clean(t, rows)
			if code != 0 {
				t.Errorf("exit code %d", code)
			}
			wants(t, output, k.wants...)
			if len(k.wants) == 0 && strings.Contains(output, "\x1b") {
				t.Errorf("there is a line:\n%q", output)
			}
			wants(t, strings.Join(rows, "\n"), k.shown...)
			if piped := ok(t, k.args...); strings.ContainsAny(piped, "\x1b\r") {
				t.Errorf("in a pipe:\n%q", piped)
			}
		})
	}
}

// A download shows its size, speed and the time left.
func TestFetchInTerminal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "4000000")
		for range 8 {
			w.Write(bytes.Repeat([]byte("x"), 500000))
			w.(http.Flusher).Flush()
			time.Sleep(150 * time.Millisecond)
		}
	}))
	defer server.Close()
	code, output, rows := inTerminal(t, 70, nil, nil, "weights", "fetch", "resnet18-f37072fd", "-mirror", server.URL, "-cache", t.TempDir(), "-out", filepath.Join(t.TempDir(), "a.safetensors"))
	clean(t, rows)
	if code != 1 { // it is another file
		t.Errorf("exit code %d", code)
	}
	wants(t, output, " of 4.0 MB  eta ", " MB/s", "] ")
}

// Frames of a video are counted by the video, files among all.
func TestHeadway(t *testing.T) {
	p, err := pty.Open(90)
	if err != nil {
		t.Skipf("no terminal can be opened here: %v", err)
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("COLUMNS", "")
	p.Watch(func(string) {})
	screen := &progress.Screen{}
	w := screen.Output(p.File)
	h := &headway{line: progress.On(w), files: 3, begun: time.Now()}
	film, live := &sources.Video{Frames: 40}, &sources.Video{}
	for i, r := range []infer.Result{
		{Frame: sources.Frame{Path: "a.jpg"}},
		{Frame: sources.Frame{Path: "b.mp4", Video: film, Count: 9}},
		{Frame: sources.Frame{Path: "cam:0", Video: live, Count: 99}},
		{Frame: sources.Frame{Path: "b.jpg"}}, {Frame: sources.Frame{Path: "c.jpg"}},
	} {
		h.show(r, i)
		fmt.Fprintln(w, "-") // draws the line anew
	}
	screen.Close()
	output := p.Output()
	wants(t, output, "] files 1/3  eta ", "  0 objects", "] frame 10/40  eta ", "file 2/3  1 object", "frame 100  file 3/3  2 objects", "images 4")
}
