// Package augment varies training images. A policy draws a change: an affine map of positions, a map of colours, rectangles without an
// image, further images. Changes compose, so that an image is read and scaled once, whatever was drawn, and its boxes go through the
// same map of positions. The package draws and computes positions; drawing pixels is for others. It uses neither C nor gorgonia.
//
//	policies -> Planner.Plan(place, image, canvas) -> Scene, for pixels, and []Object, whose boxes are in px of the canvas
//
// Policies that change one image come first, in the order of their list; those that combine images follow. Random numbers come from streams
// with an Address: the seed, the epoch, the place of the image in its order and the name of the policy. They depend neither on workers nor on
// the size of batches nor on the other policies.
//
// To add a policy, write its function and its entry in the file of its family, and a test. Configuration, messages and the documentation
// read the table Kinds.
package augment
