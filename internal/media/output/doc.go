// Package output writes detections: drawn on copies of images and videos, as crops, and as text.
//
//	infer.Result with its image -> Crops, Pictures, Videos
//	infer.Result                  -> COCO, Lines, CSV, YOLO
//
// Every path comes from a register.Folder, or was reserved by register.Register.File before. Writers of text take one result after
// another and keep none. Lines and CSV write each result at once, so that their files are readable at any moment; other files appear
// complete or not at all.
package output

import "retinago/infer"

// Writer takes the results of a run in their order, including broken ones.
type Writer interface {
	Write(r infer.Result) error
	// Close completes the output. It is called once.
	Close() error
}

var (
	_ Writer = (*COCO)(nil)
	_ Writer = (*Lines)(nil)
	_ Writer = (*CSV)(nil)
	_ Writer = (*YOLO)(nil)
)
