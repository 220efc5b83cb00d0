package main

import (
	"fmt"
	"os"
	"path/filepath"

	"retinago/train"
)

// isFolder reports whether a path is that of a folder.
func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// isRun reports whether a path is the folder of a run.
func isRun(path string) bool {
	_, err := os.Stat(filepath.Join(path, train.ConfigFile))
	return err == nil
}

// modelOf is the checkpoint that -weights names: a run's folder stands for its best model, or for its last where none was measured.
func modelOf(path string) (string, error) {
	if !isFolder(path) {
		return path, nil
	}
	for _, name := range []string{train.BestModel, train.LastModel} {
		file := filepath.Join(path, name)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	if isRun(path) {
		return "", fmt.Errorf("%s: the run has no model yet: it was stopped before its first checkpoint", path)
	}
	return "", fmt.Errorf("%s: a folder without %s or %s is no run: give a checkpoint file or the folder of a run", path, train.BestModel, train.LastModel)
}
