// Package campaign tests the reliability that retinago promises: programs are killed, files are damaged, images are mutated, a
// server is attacked. Its tests exist only with the build tag campaign, build the programs that they need, and take hours in full
// size; `make test-long` runs them and prints their figures. docs/reliability.md lists the promises.
//
// Sizes and the seed come from the environment: see setting in setting_test.go.
package campaign
