// Package speed measures the time of a network, its stages and its layers, and compares it with the machine's peak rates.
//
//	subject (inference or a training step) --rounds--> time of every operation --> Result --> table, JSON
//
// Work is counted for direct convolutions, with 2 operations for each multiply-add. An algorithm with fewer operations, such as Winograd's,
// can exceed the processor's peak.
package speed
