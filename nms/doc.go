// Package nms suppresses duplicate detections of the same object: non-maximum suppression and its variants.
//
//	boxes [N], scores [N]             -- Greedy    --> indices of selected boxes, best first
//	boxes [N], scores [N], classes [N] -- ClassWise --> the same, where only boxes of one class suppress each other
//
//	the same                          -- Method    --> detections, best first, with scores lowered or boxes fused
//
// The result of Greedy is that of torchvision.ops.nms: a box is dropped when its IoU with a better one that stays is above
// the threshold (not at it), equal scores are taken in order of index, and boxes without area overlap nothing, not even
// their copies. Boxes with a score or a coordinate that is not a number are dropped, where torchvision would put them
// first.
package nms
