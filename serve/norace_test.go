//go:build !race

package serve

// slower is how much longer things may take in tests.
const slower = 1
