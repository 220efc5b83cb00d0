// Package register protects files from a run's results: one Register knows every path that a run reads and every path that it writes.
//
// An existing file is replaced only if the same verb wrote it in an earlier run and nothing changed it since (file.Mine), or if the
// user asked for it. A file that the run reads is never replaced, under any name: files are compared by device and inode, so that
// links count too. Two sources never share a name, even if their names differ only in case or in their Unicode form, because many
// file systems treat these as equal. A name that is too long for the file system is shortened and gets a hash of the whole name.
package register
