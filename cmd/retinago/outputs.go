package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"retinago/config"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/internal/media/register"
	"retinago/train"
)

// overwriteFlag lets a verb replace files of others.
func overwriteFlag() cli.Flag {
	return &cli.BoolFlag{Name: "overwrite", Usage: "replace files of others too; without it a verb replaces only its own, unchanged results"}
}

// written are the flags of verbs whose results are files alone. Their paths are checked and locked before the verb begins.
var written = map[string][]string{
	"eval":           {"json", "report", "results"},
	"data split":     {"out", "rest"},
	"data merge":     {"out"},
	"data subset":    {"out"},
	"weights import": {"out"},
	"weights fetch":  {"out"},
	"bench speed":    {"json", "outputs"},
	"results merge":  {"out"},
}

// guarded is a verb's action behind the check of the files that it writes. The verb is the author of its files.
func guarded(action cli.ActionFunc, files []string) cli.ActionFunc {
	return func(c *cli.Context) error {
		file.SignAs(c.Command.Name)
		if files == nil {
			return action(c)
		}
		_, release, err := outputs(c, nil, files)
		if err != nil {
			return err
		}
		defer release()
		return action(c)
	}
}

// reading are the flags whose values are files that a verb reads.
var reading = []string{"weights", "config", "data", "gt", "dt", "class-list", "file", "picture", "input", "source", "part"}

// outputs checks and locks the folders and files that flags name for results. Nothing is written where one of them is a file that the
// verb reads, or one that the user has from elsewhere. release unlocks them.
func outputs(c *cli.Context, folders, files []string) (g *register.Register, release func(), err error) {
	for _, flag := range folders {
		if st, err := os.Stat(c.String(flag)); err == nil && !st.IsDir() {
			return nil, nil, fmt.Errorf("-%s %s is a file: give the name of a folder", flag, c.String(flag))
		}
	}
	if release, err = hold(c, folders, files); err != nil {
		return nil, nil, err
	}
	g = register.New(register.Options{Overwrite: c.Bool("overwrite"), Notice: func(line string) { fmt.Fprintln(c.App.ErrWriter, line) }})
	for _, flag := range reading {
		switch v := c.Value(flag).(type) {
		case string:
			takeInput(g, flag, v)
		case cli.StringSlice:
			for _, path := range v.Value() {
				takeInput(g, flag, path)
			}
		}
	}
	for _, flag := range files {
		if err = standing(flag, c.String(flag)); err != nil && c.Command.Name != "draw" { // which makes folders
			release()
			return nil, nil, err
		}
		if err = g.File("-"+flag, c.String(flag)); err != nil {
			release()
			if errors.Is(err, register.ErrTwice) {
				return nil, nil, usage("%s: %v", c.Command.FullName(), err)
			}
			return nil, nil, err
		}
	}
	return g, release, nil
}

// takeInput records what a flag names for reading: a file, or the folder of a run or a dataset, and the datasets that a run was made from. Of a
// folder of sources each file is recorded when it is found.
func takeInput(g *register.Register, flag, path string) {
	what := "what -" + flag + " names"
	g.Input(what, path)
	if flag == "source" || flag == "part" || path == "" {
		return
	}
	g.InputFolder(what, path)
	if flag != "weights" && flag != "data" || !isRun(path) {
		return
	}
	cfg, err := config.Load(filepath.Join(path, train.ConfigFile), nil)
	if err != nil {
		return // which the verb reports where it needs the file
	}
	for _, set := range []config.Set{cfg.Data.Train, cfg.Data.Val} {
		if set.Source != "" {
			of := data.Source(cfg.Data, set).Path
			g.Input("a dataset of the run", of)
			g.InputFolder("a dataset of the run", of)
		}
	}
}

// freeOfOthers is the error of making shapes in a folder that has files of others under their names.
func freeOfOthers(to *register.Folder, o data.ShapesOptions) error {
	for part, n := range map[string]int{"train": o.Train, "val": o.Val} {
		err := to.Check(part+".json", 0)
		for i := 1; i <= n && err == nil; i++ {
			err = to.Check(fmt.Sprintf("%s/%05d.jpg", part, i), 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// runFree is the error of a training in a folder that holds a run, or that has files of others under the names of a run's.
func runFree(c *cli.Context, out string) error {
	if err := train.CheckOut(out); err != nil {
		return err
	}
	to := register.New(register.Options{Overwrite: c.Bool("overwrite")}).Folder("-out", out)
	for _, name := range []string{train.ConfigFile, train.LastModel, train.BestModel} {
		if err := to.Check(name, 0); err != nil {
			return err
		}
	}
	return nil
}

// standing is the error of a file for which there is no folder.
func standing(flag, path string) error {
	if path == "" || path == "-" {
		return nil
	}
	dir := filepath.Dir(path)
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return fmt.Errorf("-%s %s: there is no folder %s: make it first", flag, path, dir)
	}
	return nil
}
