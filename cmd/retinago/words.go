package main

import "regexp"

// packagePrefix are names of Go packages in front of an error or of a part of it. They mean nothing to users of the program.
var packagePrefix = regexp.MustCompile(`(?m)(^|: )(?:(?:convert|shapes|coco|infer|detector|interop|lab): )+`)

// message is the text of an error without the names of packages.
func message(err error) string { return packagePrefix.ReplaceAllString(err.Error(), "$1") }
