// Package backbone builds the convolutional networks that turn an image into feature maps of falling resolution.
//
//	x [N,H,W,3] -> C2 [N,H/4,W/4,c2], C3 [N,H/8,W/8,c3], C4 [N,H/16,W/16,c4], C5 [N,H/32,W/32,c5]
//
// Parameter names are torchvision's ("layer1.0.conv1.weight") under a prefix of the caller's.
package backbone
