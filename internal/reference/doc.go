// Package reference holds the test of the documentation that is made from the program: docs/config.md, and the parts of other pages
// between the marks "generated: NAME" and "end". After a change of a setting or of a table of kinds, run
//
//	go generate ./internal/reference
//
// which writes them anew.
package reference

//go:generate go test . -update
