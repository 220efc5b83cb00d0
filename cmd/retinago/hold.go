package main

import (
	"path/filepath"

	"github.com/urfave/cli/v2"

	"retinago/internal/file"
)

// hold locks the folders and files that flags name, so that no other process writes them; "-" is standard output. release unlocks
// them.
func hold(c *cli.Context, folders, files []string) (release func(), err error) {
	var owners []*file.Owner
	release = func() {
		for _, o := range owners {
			o.Release()
		}
	}
	held := map[string]bool{}
	take := func(path string, lock func() (*file.Owner, error)) error {
		place := path
		if real, err := filepath.EvalSymlinks(path); err == nil {
			place = real
		}
		place, err := filepath.Abs(place)
		if err != nil || path == "" || path == "-" || held[place] {
			return err
		}
		held[place] = true
		o, err := lock()
		owners = append(owners, o)
		return err
	}
	for _, flag := range folders {
		path := c.String(flag)
		err := take(path, func() (*file.Owner, error) { return file.Lock(path, c.App.ErrWriter) })
		if err != nil {
			release()
			return nil, err
		}
	}
	for _, flag := range files {
		path := c.String(flag)
		err := take(path, func() (*file.Owner, error) { return file.LockFile(path, c.App.ErrWriter) })
		if err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}
