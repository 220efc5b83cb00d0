// Package campaign tests what retinago promises of its reliability: programs are killed, files are damaged, pictures are mutated, a
// server is attacked. Its tests exist with the build tag campaign only, build the programs that they need, and take hours in full
// size; `make test-long` runs them and prints their figures. docs/reliability.md says what is promised.
//
// Sizes and the seed come from the environment: see setting in setting_test.go.
package campaign
