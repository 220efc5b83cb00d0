// Package recipe makes a configuration from a dataset and a machine, for people who train on their own pictures.
//
//	dataset --look--> sizes, objects  \
//	machine --measure--> s per step    >--Make--> config.Config, with a reason for each choice
//	weights, minutes, epochs          /
//
// Every choice is a setting that can be changed afterwards. Nothing is guessed that can be measured: the time of a step is that of the
// network on this machine.
package recipe
