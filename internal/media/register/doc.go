// Package register keeps a run's results from doing harm: one Register knows every path that a run reads and every path that it writes.
//
// A file that is there is replaced only if the same verb wrote it in an earlier run and nothing changed it since (file.Mine), or if the
// user asked for it. A file that the run reads is never replaced, whatever its name is: files are compared by device and inode, so that
// links count too. Two sources never share a name, also where names differ in case or in their Unicode form alone, because many
// file systems take these for one. A name that is longer than the file system takes is shortened, with a hash of the whole.
package register
