package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/internal/file"
	"retinago/internal/model/fetch"
	"retinago/internal/model/interop"
	"retinago/internal/progress"
)

// mirrorFlag and cacheFlag say where published files come from and where they are kept.
func mirrorFlag() cli.Flag {
	return &cli.StringFlag{Name: "mirror", Usage: "`ADDRESS` of a folder that has the published files", DefaultText: fetch.Origin, EnvVars: []string{"RETINAGO_MIRROR"}}
}

func cacheFlag() cli.Flag {
	return &cli.StringFlag{Name: "cache", Usage: "`DIR` that keeps fetched files", DefaultText: "retinago in the user's cache folder", EnvVars: []string{"RETINAGO_CACHE"}}
}

func fetchCommand() *cli.Command {
	return &cli.Command{
		Name:  "fetch",
		Usage: "bring published weights and import them",
		Description: "Brings one of torchvision's published files, checks its SHA-256 against the digits in its name, and imports it: a\n" +
			"detector of COCO's 80 classes becomes a checkpoint, a classifier a file for train.init_weights. A download that breaks\n" +
			"off is continued, by the next call too. Published are:\n\n   " + strings.Join(fetch.Published(), "\n   ") + "\n\n" +
			"Any other file is fetched whose name ends in a hyphen and the first 8 hex digits of its SHA-256. Where no more digits are known,\n" +
			"-sha256 gives all of them, or -first-use accepts the file as it is: its whole sum is printed, recorded beside the file\n" +
			"and required whenever the file is used again.\n\n" +
			"   retinago weights fetch retinanet_resnet50_fpn_coco -out coco.safetensors\n" +
			"   retinago weights fetch resnet50-11ad3fa6 -out resnet50.safetensors -mirror http://files.local/models",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the file; the name alone does as well", Required: true},
			&cli.StringFlag{Name: "out", Usage: "safetensors `FILE` to write", DefaultText: "NAME.safetensors"},
			&cli.StringFlag{Name: "sha256", Usage: "the file's whole SHA-256, 64 hex `DIGITS`", DefaultText: "what is known of it"},
			&cli.BoolFlag{Name: "first-use", Usage: "accept a file of which only the digits in its name are known, and record its whole SHA-256"},
			mirrorFlag(), cacheFlag(),
		},
		Before: func(c *cli.Context) error { // the file has a name before it is checked
			if c.String("out") != "" || c.String("name") == "" {
				return nil
			}
			f, err := fetch.Find(c.String("name"), c.String("mirror"))
			if err != nil {
				return nil // Action reports it
			}
			return c.Set("out", strings.TrimSuffix(f.Name, ".pth")+".safetensors")
		},
		Action: func(c *cli.Context) error {
			f, err := fetch.Find(c.String("name"), c.String("mirror"))
			if sum := c.String("sha256"); err == nil && sum != "" {
				f, err = f.With(sum)
			}
			if err != nil {
				return usage("weights fetch: %v", err)
			}
			path, err := download(c, f)
			if err != nil {
				return err
			}
			return importFile(c.App.Writer, path, c.String("out"), "", interop.Options{}, nil)
		},
	}
}

// download brings a file into the cache and reports on the way.
func download(c *cli.Context, f fetch.File) (string, error) {
	dir, err := cacheDir(c)
	if err != nil {
		return "", err
	}
	return downloadWith(c, f, fetch.Options{FirstUse: c.Bool("first-use")}, dir)
}

// downloadWith brings a file into a folder with some of fetch's options.
func downloadWith(c *cli.Context, f fetch.File, o fetch.Options, dir string) (string, error) {
	fmt.Fprintf(c.App.ErrWriter, "fetching %s into %s\n", f.URL, dir)
	o.Checked = func(line string) { fmt.Fprintln(c.App.ErrWriter, line) }
	o.Progress = downloading(c.App.ErrWriter)
	path, err := fetch.Get(c.Context, f, dir, o)
	progress.On(c.App.ErrWriter).Clear() // which a failed download leaves
	if errors.Is(err, fetch.ErrSum) {
		err = fmt.Errorf("%w; compare the file with one that you trust: retinago weights fetch %s -sha256 DIGITS (64 hex digits, as sha256sum "+
			"prints them), or accept what the server sends: retinago weights fetch %[2]s -first-use", err, strings.TrimSuffix(f.Name, ".pth"))
	}
	return path, err
}

func cacheDir(c *cli.Context) (string, error) {
	if dir := c.String("cache"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for fetched files: %w; give one with -cache", err)
	}
	return filepath.Join(dir, "retinago"), nil
}

// detectors are the names of the published detectors.
func detectors() []string {
	return slices.DeleteFunc(fetch.Published(), func(name string) bool { return !strings.HasPrefix(name, "retinanet_") })
}

// checkpoint returns the file that -weights names.
func checkpoint(c *cli.Context) (string, error) { return published(c, c.String("weights")) }

// published returns the file of a name: a path, or a published detector, which is fetched and imported once.
func published(c *cli.Context, name string) (string, error) {
	if st, err := os.Stat(name); err == nil && st.IsDir() {
		return modelOf(name)
	}
	_, err := os.Stat(name)
	if !errors.Is(err, fs.ErrNotExist) || strings.ContainsAny(name, `/\`) {
		return name, nil // reading it reports what is wrong
	}
	if !strings.HasPrefix(name, "retinanet_") {
		return "", fmt.Errorf("-weights %s: no such file or directory%s: give a checkpoint, the folder of a run or a published detector: %s",
			name, file.From(name), strings.Join(detectors(), ", "))
	}
	f, err := fetch.Find(name, c.String("mirror"))
	if err != nil {
		return "", fmt.Errorf("-weights %s is no file here: %w", name, err)
	}
	dir, err := cacheDir(c)
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, strings.TrimSuffix(f.Name, ".pth")+".safetensors")
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	path, err := download(c, f)
	if err != nil {
		return "", err
	}
	return out, importFile(c.App.ErrWriter, path, out, "", interop.Options{}, nil)
}
