// Package recipe makes a configuration from a dataset and a machine, for people who train on their own images.
//
//	dataset --look--> sizes, objects  \
//	machine --measure--> s per step    >--Make--> config.Config, with a reason for each choice
//	weights, minutes, epochs          /
//
// Every choice is a setting that can be changed afterwards. Values are measured where possible: the time of a step is measured with the
// network on this machine.
package recipe
