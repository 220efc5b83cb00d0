// Package progress shows how far work is, in a line at the bottom of a terminal that is written anew while what is printed appears above it:
//
//	[#########---------------------] step 120/400  eta 2m10s  loss 0.4127  epoch 1.20  0.462 s/step
//
// A Screen wraps the outputs of the program, and On returns the line of one. An output that is no terminal has none: there, the work prints
// lines of its own now and then. So does a terminal that cannot go back in a line (TERM is dumb or empty). The line has no colours.
package progress
