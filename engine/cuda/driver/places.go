//go:build gpu && linux && amd64

package driver

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Places are where libraries of these names may be, in the order in which to try them: each where the linker finds it
// (LD_LIBRARY_PATH, the system's folders), beside the program, and in the nvidia packages of Python's pip.
func Places(names ...string) (files []string) {
	var dirs []string
	if program, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(program))
	}
	for _, prefix := range prefixes() {
		// nvidia/cudnn/lib, nvidia/cublas/lib; since CUDA 13 most are in nvidia/cu13/lib.
		found, _ := filepath.Glob(filepath.Join(prefix, "lib*", "python3*", "*-packages", "nvidia", "*", "lib"))
		dirs = append(dirs, found...)
	}
	for _, name := range names {
		files = append(files, name)
		for _, d := range dirs {
			if f := filepath.Join(d, name); exists(f) && !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	return files
}

// prefixes are the folders above lib/python3.N/site-packages: of the environment in use, of python3 on the PATH, the user's, the system's.
func prefixes() []string {
	all := []string{os.Getenv("VIRTUAL_ENV"), os.Getenv("CONDA_PREFIX")}
	if p, err := exec.LookPath("python3"); err == nil {
		all = append(all, filepath.Dir(filepath.Dir(p)))
		if p, err = filepath.EvalSymlinks(p); err == nil {
			all = append(all, filepath.Dir(filepath.Dir(p)))
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		all = append(all, filepath.Join(home, ".local"))
	}
	all = append(all, "/usr/local", "/usr")
	return slices.DeleteFunc(all, func(p string) bool { return p == "" })
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
