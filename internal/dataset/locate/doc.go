// Package locate finds a picture by the name that a dataset has for it, whatever tool on whatever system wrote it.
//
// A name is taken as it stands first. Where no such file is, these are tried: without quotes and spaces around it, with backslashes as
// separators, with percent signs decoded, without "file:" or a web address before its path, below the folder of pictures for an
// absolute path of another machine, without "../" in front, without folders that the folder of pictures ends with, and last with other
// case or another Unicode form, or without the digits that Label Studio puts in front of the names of its copies. A name is never a pattern. Where a name fits several files, none is taken.
package locate
