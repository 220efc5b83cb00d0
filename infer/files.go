package infer

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/picture"
)

// File is a picture to read and the name of its annotated copy, relative to the folder of results.
type File struct{ Path, Name string }

// extensions are those that a folder is searched for. A file that is named itself may have any.
var extensions = []string{".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}

// Files expands sources: pictures, folders with everything below them, and globs. Below a folder, names keep their path
// relative to it; two sources of one name are told apart by a number.
func Files(sources []string) ([]File, error) {
	var out []File
	for _, s := range sources {
		found, err := expand(s)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("infer: %s: no pictures there (%s)", s, strings.Join(extensions, " "))
		}
		out = append(out, found...)
	}
	used := map[string]bool{}
	for i, f := range out {
		ext := filepath.Ext(f.Name)
		name := f.Name
		for n := 2; used[annotated(name)]; n++ {
			name = fmt.Sprintf("%s_%d%s", strings.TrimSuffix(f.Name, ext), n, ext)
		}
		used[annotated(name)] = true
		out[i].Name = name
	}
	return out, nil
}

func expand(source string) ([]File, error) {
	st, err := os.Stat(source)
	if err == nil && !st.IsDir() {
		return []File{{source, filepath.Base(source)}}, nil
	}
	if err != nil {
		matches, globErr := filepath.Glob(source)
		if globErr != nil || len(matches) == 0 {
			return nil, fmt.Errorf("infer: %w", err)
		}
		var out []File
		for _, m := range matches {
			f, err := expand(m)
			if err != nil {
				return nil, err
			}
			out = append(out, f...)
		}
		return out, nil
	}
	var out []File
	err = filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("infer: %w", err)
		}
		if !d.IsDir() && slices.Contains(extensions, strings.ToLower(filepath.Ext(path))) {
			name, err := filepath.Rel(source, path)
			if err != nil {
				return err
			}
			out = append(out, File{path, name})
		}
		return nil
	})
	return out, err
}

// annotated is the name of an annotated copy: always a JPEG.
func annotated(name string) string {
	if e := strings.ToLower(filepath.Ext(name)); e == ".jpg" || e == ".jpeg" {
		return name
	}
	return name + ".jpg"
}

// WriteAnnotated draws detections onto a picture and writes it as JPEG; another extension gets .jpg appended. Folders
// on the way are made.
func WriteAnnotated(path string, p *picture.Picture, found []Detection) error {
	marks := make([]picture.Mark, len(found))
	for i, d := range found {
		// The best detection comes first and is drawn last, on top.
		marks[len(found)-1-i] = picture.Mark{Box: d.Box, Label: fmt.Sprintf("%s %.2f", d.Category.Name, d.Score), Color: d.Class}
	}
	if err := picture.Draw(p, marks); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	return p.WriteJPEG(annotated(path), 92)
}
