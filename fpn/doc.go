// Package fpn builds the feature pyramid of Lin et al. 2017, "Feature Pyramid Networks for Object Detection", with
// RetinaNet's two extra levels ("Focal Loss for Dense Object Detection", section 4, footnote 2).
//
//	C5 -1x1-> + ---------------3x3-> P5 [N,H/32,W/32,F]    P6 = 3x3/2 of C5 or P5 [N,H/64,W/64,F]
//	C4 -1x1-> + <-upsample-----3x3-> P4 [N,H/16,W/16,F]    P7 = 3x3/2 of relu(P6) [N,H/128,W/128,F]
//	C3 -1x1-> + <-upsample-----3x3-> P3 [N,H/8,W/8,F]
//
// By option it begins at C2, and goes up again from the finest level (Liu et al. 2018, "Path Aggregation Network for
// Instance Segmentation").
package fpn
