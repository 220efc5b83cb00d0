// Package locate finds the file of an image by its name in a dataset, for names of any tool on any system.
//
// The unchanged name is tried first. If there is no such file, these are tried: the name without quotes and spaces around it, with
// backslashes as separators, with percent signs decoded, without "file:" or a web address before its path, below the folder of images for
// an absolute path of another machine, without leading "../", without folders with which the folder of images ends, and last with other
// case or another Unicode form, or without the digits with which Label Studio begins the names of its copies. A name is never a
// pattern. If a name fits several files, none is taken.
package locate
