// Package interop turns checkpoints of other projects into ours and back.
//
//	weights.Source --Import--> Model: configuration, classes, tensors under our names --Save--> a checkpoint
//	a checkpoint   --Export--> safetensors under torchvision's names
//
// What a project does otherwise (where P6 comes from, how anchors are rounded, which logits are classes, what is added
// to variances) follows from the names and shapes and travels with the weights. Our parameter names are torchvision's.
package interop
