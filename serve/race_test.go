//go:build race

package serve

// slower is how much longer things may take in tests: the race detector multiplies the work of what is written in Go.
const slower = 5
