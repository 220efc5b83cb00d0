// Package output writes what was found: drawn onto copies of pictures and videos, cut out, and as text.
//
//	infer.Result with its picture -> Crops, Pictures, Videos
//	infer.Result                  -> COCO, Lines, CSV, YOLO
//
// Every path is asked of a register.Folder, or was taken by register.Register.File before. Writers of text take one result after another and keep none. Files of text that grow while one works, Lines and CSV, are
// readable at any moment; the others appear whole or not at all.
package output

import "retinago/infer"

// Writer takes the results of a run in their order, broken ones too.
type Writer interface {
	Write(r infer.Result) error
	// Close ends what is written. It is called once.
	Close() error
}

var (
	_ Writer = (*COCO)(nil)
	_ Writer = (*Lines)(nil)
	_ Writer = (*CSV)(nil)
	_ Writer = (*YOLO)(nil)
)
