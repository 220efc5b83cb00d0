// Package interop converts checkpoints of other projects into retinago's and back.
//
//	weights.Source --Import--> Model: configuration, classes, tensors under retinago's names --Save--> a checkpoint
//	a checkpoint   --Export--> safetensors under torchvision's names
//
// The conventions of a project (the source of P6, the rounding of anchors, the logits that are classes, the number that is added
// to variances) follow from names and shapes and are stored with the weights. retinago's parameter names are those of torchvision.
package interop
