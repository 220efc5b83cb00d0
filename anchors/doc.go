// Package anchors makes a grid of reference boxes over an image, assigns them to annotated objects, and encodes objects relative to
// anchors (Lin et al. 2017, "Focal Loss for Dense Object Detection", section 4).
//
//	feature sizes [[h8,w8], [h16,w16], ...] -- Config.Grid --> boxes [sum(h*w)*A]
//	boxes [N], objects [M]                  -- Matcher     --> labels [N], matched [N]
//	box + object                            -- Coder       --> deltas [4], and back
//	sizes of a dataset's objects            -- Coverage    --> recall; Fit --> a better Config
//
// The order of a Grid is torchvision's: level, then y, then x, then the A = len(Ratios)*len(Scales) anchors of the
// cell, all scales of the first ratio before those of the second. Centres are at (x*stride, y*stride), without an
// offset of half a cell. detectron2 has the same centres, but all ratios of the first scale before those of the
// second: its channel group s*len(Ratios)+r is r*len(Scales)+s here.
//
// Two conventions of size exist. torchvision truncates size*scale to an integer and rounds the corners of the base
// anchors (half to even); Config.IntegerSizes does that, to the bit. The paper and detectron2 round nothing.
// Two of distance exist too: the network's strides, and torchvision's, which Config.CanvasStrides takes.
//
// The package works in pixels. It reads no files, has no graph and no configuration format (the yaml tags name keys for package config).
package anchors
