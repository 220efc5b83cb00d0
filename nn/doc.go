// Package nn builds the detector's layers on gorgonia: graph operations whose forward pass and gradient are kernels of an
// engine.Engine, parameters by name, and a machine that plans the memory of a graph and runs it.
//
//	Builder --Conv, GroupNorm, ...--> gorgonia graph --Backpropagate--> gradients
//	                                        |
//	                                     Machine: order, liveness, one arena, tape
//
// Activations are [N,H,W,C], convolution weights [O,I,R,S]. An operation is a Kernel with a shape rule, a forward pass and, if it
// is Differentiable, the nodes of its gradient, all in the file of its layer. Operations of inference are
// Exportable, with ONNX operators, and Quantizable, with a form in networks of 8 bits. gorgonia differentiates the graph,
// sums the gradients of shared nodes and executes the tape; the engine does all computation. A Graph describes
// a plan to packages that do not import gorgonia.
package nn
