// Package convert reads and writes datasets of other formats than COCO's.
//
//	Pascal VOC: Annotations/*.xml          --VOC-->  *coco.Dataset  --WriteVOC-->
//	YOLO:       data.yaml, labels/*.txt    --YOLO-->                --WriteYOLO-->
//	CSV:        path,x1,y1,x2,y2,class     --CSV-->                 --WriteCSV-->
//
// Boxes become COCO's [x, y, width, height] from 0, in pixels. Categories are numbered from 1 in the order of the
// format's own list, or by name where it has none. Errors name the file and the line or object; up to 20 are told at
// once. Faults of the data (boxes outside, without area) are kept for coco.Dataset.Check to find.
package convert
