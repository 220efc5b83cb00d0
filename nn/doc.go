// Package nn lays the detector's layers over gorgonia: graph operations whose forward and gradient are kernels of an
// engine.Engine, parameters by name, and a machine that plans the memory of a graph and runs it.
//
//	Builder --Conv, GroupNorm, ...--> gorgonia graph --Backpropagate--> gradients
//	                                        |
//	                                     Machine: order, liveness, one arena, tape
//
// Activations are [N,H,W,C], convolution weights [O,I,R,S]. An operation is a Kernel: its shape rule, its forward
// pass and, where it is Differentiable, the nodes of its gradient, each in the file of its layer. Operations of inference are
// Exportable, with operators of ONNX, and Quantizable, with a form in networks of 8 bits. gorgonia differentiates the graph,
// sums the gradients of shared nodes and executes the tape; it computes nothing itself but asks the engine. A Graph describes
// a plan to packages that do not import gorgonia.
package nn
