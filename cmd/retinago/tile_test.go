package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/coco"
)

// A folder with both parts is cut into tiles, which are a sound dataset; a second run replaces them, and no file of others is.
func TestDataTile(t *testing.T) {
	dir, out := shapes(t), filepath.Join(t.TempDir(), "tiles")
	args := []string{"data", "tile", "-data", dir, "-out", out, "-size", "48", "-overlap", ".25"}
	wants(t, ok(t, args...), filepath.Join(out, "train.json"), "of 12 images", filepath.Join(out, "val.json"), "of 4 images", "; left out without objects: 0 tiles")
	load := func(name string) *coco.Dataset {
		t.Helper()
		d, err := coco.Load(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	all := load("train.json")
	for _, im := range all.Images {
		if im.Width != 48 || im.Height != 48 || filepath.Ext(im.FileName) != ".jpg" {
			t.Errorf("%s has %dx%d pixels", im.FileName, im.Width, im.Height)
		}
	}
	if len(all.Images) < 12*6 {
		t.Errorf("%d tiles", len(all.Images))
	}
	for _, part := range []string{"train", "val"} {
		wants(t, ok(t, "data", "check", "-data", filepath.Join(out, part+".json"), "-images", filepath.Join(out, part)), ": 0 errors, 0 warnings")
	}
	first := text(t, filepath.Join(out, "train.json"))
	ok(t, args...)
	if text(t, filepath.Join(out, "train.json")) != first {
		t.Error("a second run writes other tiles")
	}

	// One class of one part under another name, without tiles of background.
	wants(t, ok(t, "data", "tile", "-data", filepath.Join(dir, "val.json"), "-images", filepath.Join(dir, "val"), "-format", "coco", "-name", "few", "-out", out, "-size", "48", "-empty", "0",
		"-classes", "circle"), filepath.Join(out, "few.json"))
	few := load("few.json")
	learned := map[int64]bool{}
	for _, a := range few.Annotations {
		learned[a.ImageID] = learned[a.ImageID] || !a.IsCrowd
	}
	if len(few.Categories) != 1 || len(few.Images) == 0 {
		t.Errorf("%d categories, %d tiles", len(few.Categories), len(few.Images))
	}
	for _, im := range few.Images {
		if !learned[im.ID] {
			t.Errorf("%s has no object", im.FileName)
		}
	}

	broken := filepath.Join(dir, "val", "00001.jpg")
	whole := text(t, broken)
	write(t, broken, whole[:len(whole)/2])
	code, told := call(t, "data", "tile", "-data", filepath.Join(dir, "val.json"), "-images", filepath.Join(dir, "val"), "-format", "coco", "-out", filepath.Join(out, "partial"), "-size", "48")
	if code != exitPartial {
		t.Errorf("a broken picture: exit code %d", code)
	}
	wants(t, told, "skipped: ", "00001.jpg", "of 3 images", "1 image could not be cut")
	write(t, broken, whole)

	mine := write(t, filepath.Join(out, "val", all.Images[0].FileName), "of the user")
	code, told = call(t, args...)
	if code != 1 || text(t, mine) != "of the user" {
		t.Errorf("a file of the user: exit code %d, now %q", code, text(t, mine))
	}
	wants(t, told, mine, "-overwrite")
	ok(t, append(args, "-overwrite")...)
	if text(t, mine) == "of the user" {
		t.Error("-overwrite leaves a file")
	}
	for _, k := range []struct {
		code int
		args string
		want string
	}{
		{2, "-size 16", "32"},
		{2, "-size 48 -overlap 1", ".9"},
		{2, "-size 48 -keep 2", "between 0 and 1"},
		{2, "-size 48 -name a", "train and val"},
		{2, "-size 48 -name ../a", "name of a file"},
		{2, "-size 48 -name a/b", "name of a file"},
	} {
		code, told := call(t, append([]string{"data", "tile", "-data", dir, "-out", filepath.Join(out, "refused")}, strings.Fields(k.args)...)...)
		if code != k.code {
			t.Errorf("%s: exit code %d", k.args, code)
		}
		wants(t, told, k.want)
	}
	if _, err := os.Stat(filepath.Join(out, "refused", "train.json")); err == nil {
		t.Error("what is refused is written")
	}
}

// Tiles into the folder of the dataset itself replace none of its files, also with -overwrite.
func TestDataTileInPlace(t *testing.T) {
	dir := shapes(t)
	before := text(t, filepath.Join(dir, "train.json"))
	code, told := call(t, "data", "tile", "-data", dir, "-out", dir, "-size", "48", "-overwrite")
	if code != 1 || text(t, filepath.Join(dir, "train.json")) != before {
		t.Errorf("exit code %d: %s", code, told)
	}
	wants(t, told, "train.json")
}
