package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	sources "retinago/internal/media/source"
)

func shardFlag() cli.Flag {
	return &cli.StringFlag{Name: "shard", Usage: "detect on a part of the files, `I/N` for part I of N, from 0; its results get I-of-N in their names. auto, or auto/N, takes the part from Slurm's array (SLURM_ARRAY_TASK_ID), " +
		"Kubernetes' indexed job (JOB_COMPLETION_INDEX, with N), srun or mpirun", DefaultText: "all files"}
}

// shard is the part of the files on which a command line detects.
func shard(c *cli.Context, env func(string) string) (sources.Shard, error) {
	text := c.String("shard")
	if text == "" {
		return sources.Shard{}, nil
	}
	var s sources.Shard
	var err error
	if rest, ok := strings.CutPrefix(text, "auto"); ok {
		s, err = shardOf(env, rest)
	} else {
		s, err = parseShard(text)
	}
	if err != nil {
		return s, usage("detect: -shard %s: %v", text, err)
	}
	return s, nil
}

// mostShards bounds the number of parts.
const mostShards = 1_000_000

// parseShard reads I/N.
func parseShard(text string) (sources.Shard, error) {
	i, n, ok := strings.Cut(text, "/")
	index, e1 := strconv.Atoi(i)
	count, e2 := strconv.Atoi(n)
	if !ok || e1 != nil || e2 != nil || count < 1 || count > mostShards || index < 0 || index >= count {
		return sources.Shard{}, fmt.Errorf("give I/N, part I of N with I from 0 to N-1, as 0/4; or auto")
	}
	return sources.Shard{Index: index, Count: count}, nil
}

// shardOf returns the part that the environment gives; of is "/N", or empty where the environment has the number of parts.
func shardOf(env func(string) string, of string) (sources.Shard, error) {
	number := func(name string) (int, error) {
		n, err := strconv.Atoi(env(name))
		if err != nil {
			return 0, fmt.Errorf("%s is %q, not a whole number", name, env(name))
		}
		return n, nil
	}
	// The names of the part, of the first part (none is 0) and of the number of parts (none is given by -shard).
	for _, v := range [][3]string{
		{"JOB_COMPLETION_INDEX", "", ""},
		{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"},
		{"OMPI_COMM_WORLD_RANK", "", "OMPI_COMM_WORLD_SIZE"},
		{"SLURM_PROCID", "", "SLURM_NTASKS"},
	} {
		if env(v[0]) == "" {
			continue
		}
		index, err := number(v[0])
		if err != nil {
			return sources.Shard{}, err
		}
		count := strings.TrimPrefix(of, "/")
		if v[1] != "" {
			first, err := number(v[1])
			if err != nil {
				return sources.Shard{}, err
			}
			index -= first
		}
		switch {
		case v[2] == "" && of == "":
			return sources.Shard{}, fmt.Errorf("%s is set, but not the number of parts: give auto/N", v[0])
		case v[2] != "" && of != "" && count != env(v[2]):
			return sources.Shard{}, fmt.Errorf("%s is %s: leave the number out", v[2], env(v[2]))
		case v[2] != "":
			count = env(v[2])
		}
		if n, several := processes(env); v[2] != "OMPI_COMM_WORLD_SIZE" && v[2] != "SLURM_NTASKS" && several {
			return sources.Shard{}, fmt.Errorf("%s gives one part to the %s processes of this job: start one process in each, or give I/N", v[0], n)
		}
		s, err := parseShard(fmt.Sprintf("%d/%s", index, count))
		if err != nil {
			return s, fmt.Errorf("%s %s makes part %d of %s: parts are numbered without gaps, and there are N of them", v[0], env(v[0]), index, count)
		}
		return s, nil
	}
	return sources.Shard{}, fmt.Errorf("none of JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID, OMPI_COMM_WORLD_RANK and SLURM_PROCID is set: give I/N")
}

// processes returns how many processes mpirun or srun started together with this one, and whether these are several.
func processes(env func(string) string) (n string, several bool) {
	for _, name := range []string{"OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"} {
		if n := env(name); n != "" && n != "1" {
			return n, true
		}
	}
	return "", false
}

// shardName is how names of results tell the parts apart; names sort as the parts do.
func shardName(s sources.Shard) string {
	n := strconv.Itoa(s.Count)
	return fmt.Sprintf("%0*d-of-%s", len(strconv.Itoa(s.Count-1)), s.Index, n)
}

// ofShard matches shardName.
var ofShard = regexp.MustCompile(`^(\d+)-of-(\d+)$`)

// partNames gives results of a part names of their own: found.json becomes found.2-of-8.json, and files that go to the folder found go to
// found/2-of-8.
func partNames(c *cli.Context, s sources.Shard) error {
	for _, flag := range []string{"out", "yolo", "crops", "json", "jsonl", "csv", "summary"} {
		path := c.String(flag)
		if path == "" || path == "-" {
			continue
		}
		name := filepath.Join(path, shardName(s))
		if flag != "out" && flag != "yolo" && flag != "crops" {
			ext := filepath.Ext(path)
			name = strings.TrimSuffix(path, ext) + "." + shardName(s) + ext
		}
		if err := c.Set(flag, name); err != nil {
			return err
		}
	}
	return nil
}

// noParts makes the results of other parts no sources. Those of the part itself are left out by next.
func noParts(c *cli.Context, next func(folder, path string) bool) func(folder, path string) bool {
	var bases []string
	for _, flag := range []string{"out", "crops"} {
		if dir := c.String(flag); dir != "" {
			if base, err := filepath.Abs(filepath.Dir(dir)); err == nil {
				bases = append(bases, base)
			}
		}
	}
	return func(folder, path string) bool {
		if whole, err := filepath.Abs(path); err == nil {
			for _, base := range bases {
				if rel, ok := strings.CutPrefix(whole, base+string(filepath.Separator)); ok {
					if first, _, ok := strings.Cut(filepath.ToSlash(rel), "/"); ok && ofShard.MatchString(first) {
						return true
					}
				}
			}
		}
		return next(folder, path)
	}
}

// divisible is the error of a set whose parts would have other results than the whole. Image ids would differ, since the frames of a video are
// counted by its own part alone; and tracks would, which go on from image to image of a folder.
func divisible(c *cli.Context, set *sources.Set) error {
	var image, video string
	set.Files(func(path, _ string, is bool) {
		switch {
		case is && video == "":
			video = path
		case !is && image == "":
			image = path
		}
	})
	switch {
	case video != "" && c.String("json") != "" && c.String("data") == "":
		return usage("detect: %s is a video: with -shard, -json numbers images alone; -jsonl and -csv name the video and the frame", video)
	case image != "" && c.Bool("track"):
		return usage("detect: %s is an image: with -shard, -track follows objects in videos alone, each of which is in one part", image)
	}
	return nil
}
