package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	sources "retinago/internal/media/source"
	"retinago/train"
)

func TestShardOfCommandLine(t *testing.T) {
	for _, k := range []struct {
		flag, env, want string // want is the part, or a piece of the error
	}{
		{"", "", "0/0"},
		{"0/1", "", "0/1"},
		{"3/8", "SLURM_ARRAY_TASK_ID=1", "3/8"},
		{"8/8", "", "give I/N"},
		{"-1/8", "", "give I/N"},
		{"1", "", "give I/N"},
		{"1/0", "", "give I/N"},
		{"a/b", "", "give I/N"},
		{"1/2/3", "", "give I/N"},
		{"0/1000001", "", "give I/N"},
		{"auto", "", "none of JOB_COMPLETION_INDEX"},
		{"auto/4", "", "none of JOB_COMPLETION_INDEX"},
		{"auto/8", "JOB_COMPLETION_INDEX=7", "7/8"},
		{"auto/7", "JOB_COMPLETION_INDEX=7", "makes part 7 of 7"},
		{"auto", "JOB_COMPLETION_INDEX=7", "give auto/N"},
		{"auto", "SLURM_ARRAY_TASK_ID=12 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=4", "2/4"},
		{"auto", "SLURM_ARRAY_TASK_ID=16 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=4", "without gaps"},
		{"auto/5", "SLURM_ARRAY_TASK_ID=12 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=4", "leave the number out"},
		{"auto", "SLURM_ARRAY_TASK_ID=12 SLURM_ARRAY_TASK_COUNT=4", `SLURM_ARRAY_TASK_MIN is ""`},
		{"auto", "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=4 SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=1", "1/4"},
		{"auto", "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=4 SLURM_PROCID=2 SLURM_NTASKS=3 SLURM_STEP_NUM_TASKS=3", "one part to the 3 processes"},
		{"auto/8", "JOB_COMPLETION_INDEX=7 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2", "one part to the 2 processes"},
		{"auto", "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=3", "1/3"},
		{"auto", "SLURM_PROCID=0 SLURM_NTASKS=2", "0/2"},
		{"auto", "SLURM_PROCID=x SLURM_NTASKS=2", `SLURM_PROCID is "x"`},
		{"automatic", "SLURM_PROCID=0", "leave the number out"},
	} {
		env := map[string]string{}
		for _, v := range strings.Fields(k.env) {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
		flags := flag.NewFlagSet("", flag.PanicOnError)
		flags.String("shard", k.flag, "")
		s, err := shard(cli.NewContext(nil, flags, nil), func(name string) string { return env[name] })
		got := fmt.Sprintf("%d/%d", s.Index, s.Count)
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != k.want || !strings.Contains(got, k.want) {
			t.Errorf("-shard %s with %s: %s, want %s", k.flag, k.env, got, k.want)
		}
	}
}

func TestShardNames(t *testing.T) {
	for s, want := range map[sources.Shard]string{{Index: 0, Count: 1}: "0-of-1", {Index: 9, Count: 10}: "9-of-10", {Index: 9, Count: 11}: "09-of-11", {Index: 7, Count: 1000}: "007-of-1000"} {
		if got := shardName(s); got != want {
			t.Errorf("%v: %s, want %s", s, got, want)
		}
	}
}

// The parts of a detection, merged, are the file that one detection writes. Each has folders and files of its own, which are no sources of another
// part, even where results go below the sources.
func TestShardedDetection(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	ok(t, append([]string{"train", "-out", run}, tiny(dir, "train.steps=1")...)...)
	photos := filepath.Join(dir, "train")
	at := func(name string) string { return filepath.Join(dir, name) }
	detect := func(name string, more ...string) string {
		return ok(t, append([]string{"detect", filepath.Join(run, train.LastModel), photos, "-score", ".01", "-convolutions", "fixed", "-json", at(name), "-out", filepath.Join(photos, "found")}, more...)...)
	}
	detect("parts.json", "-shard", "2/3")
	detect("parts.json", "-shard", "0/3")
	merge := func(more ...string) (int, string) {
		return call(t, append([]string{"results", "merge", "-out", at("merged.json"), "-overwrite"}, more...)...)
	}
	code, out := merge(at("parts.0-of-3.json"), at("parts.2-of-3.json"))
	if code != exitError {
		t.Errorf("exit code %d without a part", code)
	}
	wants(t, out, "of the 3 parts of parts.json, missing: 1")
	wants(t, detect("parts.json", "-shard", "1/3"), "4 images")
	if files, _ := filepath.Glob(filepath.Join(photos, "found", "*-of-3", "*.jpg")); len(files) != 12 {
		t.Errorf("%d copies", len(files))
	}
	if err := os.RemoveAll(filepath.Join(photos, "found")); err != nil {
		t.Fatal(err)
	}
	detect("whole.json")
	if code, out = merge(at("parts.2-of-3.json"), at("parts.0-of-3.json"), at("parts.1-of-3.json")); code != 0 {
		t.Fatal(out)
	}
	wants(t, out, "from 3 parts")
	if whole := text(t, at("whole.json")); len(whole) < 1000 || whole != text(t, at("merged.json")) {
		t.Errorf("the merged results are not those of one detection:\n%.300s\n%.300s", whole, text(t, at("merged.json")))
	}
	write(t, at("parts.3-of-3.json"), "[]")
	write(t, at("other.1-of-3.json"), "[]")
	if err := os.MkdirAll(at("again"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, at("again/parts.1-of-3.json"), text(t, at("parts.1-of-3.json")))
	write(t, at("again/parts.0-of-2.json"), text(t, at("parts.0-of-3.json")))
	write(t, at("again/parts.1-of-2.json"), text(t, at("parts.0-of-3.json")))
	for _, k := range []struct {
		files []string
		want  string
	}{
		{[]string{"parts.0-of-3.json", "parts.1-of-3.json", "again/parts.1-of-3.json", "parts.2-of-3.json"}, "part 1 of 3 is given twice"},
		{[]string{"parts.0-of-3.json", "other.1-of-3.json", "parts.2-of-3.json"}, "a part of another detection"},
		{[]string{"parts.0-of-3.json", "parts.3-of-3.json"}, "there is no part 3 of 3"},
		{[]string{"whole.json"}, "is not named as the file of a part"},
		{[]string{"again/parts.0-of-2.json", "again/parts.1-of-2.json"}, "image_id 1 is in"},
		{[]string{"again/parts.0-of-2.json", "parts.1-of-3.json"}, "a part of another detection"},
	} {
		before := text(t, at("merged.json"))
		var files []string
		for _, f := range k.files {
			files = append(files, at(f))
		}
		code, out := merge(files...)
		if code != exitError || before != text(t, at("merged.json")) {
			t.Errorf("%v: exit code %d", k.files, code)
		}
		wants(t, out, k.want)
	}
}

// Frames of videos are numbered by their own part alone, so ids of images would differ; and tracks of images would end with their part.
func TestShardsOfSeries(t *testing.T) {
	for file, k := range map[string]struct {
		flags []string
		want  string
	}{
		"a.mp4": {[]string{"-json", "found.json"}, "a.mp4 is a video: with -shard, -json numbers images alone"},
		"b.jpg": {[]string{"-jsonl", "-", "-track"}, "b.jpg is an image: with -shard, -track follows objects in videos alone"},
	} {
		t.Chdir(t.TempDir())
		write(t, file, "neither")
		code, out := call(t, append([]string{"detect", "-weights", "absent.safetensors", "-source", ".", "-shard", "0/2"}, k.flags...)...)
		if code != exitUsage {
			t.Errorf("%s: exit code %d", file, code)
		}
		wants(t, out, k.want)
	}
}
