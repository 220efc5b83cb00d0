//go:build !campaign

package file

// kill does nothing: a program that is built with the tag campaign ends here when its turn comes.
func kill() {}
