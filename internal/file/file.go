// Package file writes files that are never seen half written, opens files that are what they seem, and gives folders and files an owner.
package file

import "os"

// File is an open file. With the build tag campaign, each of its changes to the disk may be the program's last: the tests of
// reliability end the program there.
type File struct{ *os.File }

// Write writes b at the file's position.
func (f *File) Write(b []byte) (int, error) {
	kill()
	return f.File.Write(b)
}

// WriteAt writes b at an offset.
func (f *File) WriteAt(b []byte, off int64) (int, error) {
	kill()
	return f.File.WriteAt(b, off)
}

// Sync makes what was written durable.
func (f *File) Sync() error {
	kill()
	return f.File.Sync()
}

// Truncate changes the file's length.
func (f *File) Truncate(n int64) error {
	kill()
	return f.File.Truncate(n)
}

// Rename renames a file, over one that is there.
func Rename(from, to string) error {
	kill()
	return os.Rename(from, to)
}

// Remove removes a file.
func Remove(path string) error {
	kill()
	return os.Remove(path)
}
