package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"retinago/train"
)

// commands reports what would command a terminal, but for ends of lines and tabs.
func commands(t *testing.T, out string) {
	t.Helper()
	for i, r := range out {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || r == '\u202e' || r == unicode.ReplacementChar) {
			t.Errorf("%q is printed: %q", r, out[max(i-40, 0):min(i+40, len(out))])
			return
		}
	}
}

// Whatever lies in a folder, detect ends with a word and does the rest.
func TestHostileDetect(t *testing.T) {
	dir := shapes(t)
	run, val := filepath.Join(t.TempDir(), "run"), filepath.Join(dir, "val")
	evil := "x\x1b]0;title\x07\u202e\n\u009b31m"
	weights := filepath.Join(run, train.LastModel)
	ok(t, append([]string{"train", "-out", run}, tiny(dir, "train.steps=1")...)...)

	seen := filepath.Join(t.TempDir(), "seen")
	if err := os.MkdirAll(seen, 0o755); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("y", 250) + ".png"
	for _, name := range []string{"a.jpg", evil + ".jpg", "stolen.jpg", long} {
		write(t, filepath.Join(seen, name), text(t, filepath.Join(val, "00001.jpg")))
	}
	if err := syscall.Mkfifo(filepath.Join(seen, "pipe.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(seen, "zero.jpg")); err != nil {
		t.Fatal(err)
	}
	top := t.TempDir()
	out := filepath.Join(top, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(top, "gone"), filepath.Join(out, "stolen.jpg")); err != nil {
		t.Fatal(err)
	}
	code, told := call(t, "detect", "-weights", weights, "-source", seen, "-out", out, "-yolo", filepath.Join(top, "yolo"), "-jsonl", filepath.Join(top, "a.jsonl"), "-score", ".001")
	if code != exitPartial {
		t.Errorf("exit code %d", code)
	}
	commands(t, told)
	wants(t, told, "pipe.jpg: it is not a regular file but a pipe", "zero.jpg: it is not a regular file but a device", "not written: ", `"stolen.jpg" below`,
		`x\x1b]0;title\x07\u202e\n\u009b31m.jpg: `, "4 images", "2 broken", "1 file not written", "shortened: "+long+".jpg is written as ")
	if _, err := os.Stat(filepath.Join(out, "a.jpg")); err != nil {
		t.Error(err)
	}
	if short, _ := filepath.Glob(filepath.Join(out, "yyy*-????????.jpg")); len(short) != 1 {
		t.Errorf("the copy with the long name: %q", short)
	}
	if entries, _ := os.ReadDir(top); len(entries) != 3 {
		t.Errorf("%v", entries)
	}
	// A long line on standard input is reported by the exit code, and the lines after it are read.
	c, told2 := program("detect", "-weights", weights, "-source", "-", "-jsonl", filepath.Join(top, "b.jsonl"))
	c.Stdin = strings.NewReader(filepath.Join(val, "00001.jpg") + "\n" + strings.Repeat("z", 100_000) + "\n" + filepath.Join(val, "00002.jpg") + "\n")
	if err := c.Run(); c.ProcessState.ExitCode() != exitPartial {
		t.Errorf("a long line: %v", err)
	}
	wants(t, told2.String(), "2 images", "1 of 3")
	// An image from another program.
	c, told2 = program("detect", "-weights", weights, "-source", "/dev/stdin", "-jsonl", filepath.Join(top, "c.jsonl"))
	c.Stdin = strings.NewReader(text(t, filepath.Join(val, "00001.jpg")))
	if err := c.Run(); err != nil {
		t.Errorf("a picture on standard input: %v\n%s", err, told2)
	}
}

// Datasets with hostile names are told of, and nothing is written beside the output.
func TestHostileData(t *testing.T) {
	top := t.TempDir()
	data := write(t, filepath.Join(top, "d.json"), `{"images":[{"id":1,"file_name":"../../x.png","width":9,"height":9},{"id":2,"file_name":"\u001b[2Jb\u202e.png","width":9,"height":9},
		{"id":3,"file_name":"here.png","width":9,"height":9}],
		"categories":[{"id":1,"name":"c\u001b]0;x\u0007\u009b\u202e"}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,3,3],"area":9}]}`)
	write(t, filepath.Join(top, "here.png"), "no picture")
	code, out := call(t, "data", "check", "-data", data, "-images", top)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	commands(t, out)
	wants(t, out, `\x1b[2Jb\u202e.png): no file`)
	out = ok(t, "data", "stats", "-data", data)
	commands(t, out)
	wants(t, out, `c\x1b]0;x\x07\u009b\u202e`)
	for _, to := range []string{"yolo", "voc"} {
		code, out := call(t, "data", "convert", "-data", data, "-to", to, "-out", filepath.Join(top, "a", "b"))
		if commands(t, out); to == "yolo" && (code != 1 || !strings.Contains(out, "image 1: its file name")) {
			t.Errorf("%s: exit code %d\n%s", to, code, out)
		}
	}
	if code, out := call(t, "data", "convert", "-data", data, "-to", "csv", "-name", "../x", "-out", filepath.Join(top, "a")); code != exitUsage {
		t.Errorf("a name that leads out: exit code %d\n%s", code, out)
	}
	if entries, _ := os.ReadDir(top); len(entries) != 3 {
		t.Errorf("%v", entries)
	}
	pipe := filepath.Join(top, "pipe.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"data", "stats", "-data", pipe}, {"eval", "-gt", pipe, "-dt", data}, {"eval", "-gt", data, "-dt", pipe}, {"data", "stats", "-data", "/dev/zero", "-format", "coco"}} {
		code, out := call(t, args...)
		if code != 1 {
			t.Errorf("%v: exit code %d", args, code)
		}
		wants(t, out, "it is not a regular file")
	}
	c, got := program("data", "stats", "-data", "/dev/stdin", "-format", "coco")
	c.Stdin = strings.NewReader(text(t, data))
	if err := c.Run(); err != nil || !strings.Contains(got.String(), "images             3") {
		t.Errorf("standard input: %v\n%s", err, got)
	}
}

// Every one of many faults is told of, in little memory.
func TestHostileCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	const n = 60_000
	fmt.Fprint(f, `{"images":[{"id":1,"file_name":"a"}],"categories":[{"id":1}],"annotations":[{"id":0,"image_id":1,"category_id":1,"bbox":[0,0,1,1]}`)
	for i := 1; i < n; i++ {
		fmt.Fprintf(f, `,{"id":%d,"image_id":9,"category_id":9,"bbox":[0,0,0,0]}`, i)
	}
	fmt.Fprint(f, "]}")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	c, out := program("data", "check", "-data", path)
	peak := peakOf(t, c)
	if c.ProcessState.ExitCode() != exitError {
		t.Errorf("exit code %d", c.ProcessState.ExitCode())
	}
	if got := strings.Count(out.String(), "unknown-image"); got != n-1 {
		t.Errorf("%d of %d faults are told", got, n-1)
	}
	idle, _ := program("version")
	if more := peak - peakOf(t, idle); more > 40<<20 {
		t.Errorf("%d MB more than to print the version", more>>20)
	}
}
