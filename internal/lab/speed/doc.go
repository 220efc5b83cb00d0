// Package speed measures a network: the whole, its stages and its layers, beside what the machine can do.
//
//	subject (inference or a training step) --rounds--> time of every operation --> Result --> table, JSON
//
// Work is counted as direct convolutions would do it, 2 operations per multiply-add: an algorithm that needs fewer, such
// as Winograd's, can do more than the processor's peak.
package speed
