// Package convert reads datasets in place, whatever their format, and writes them in others. A Source is where one lies.
//
//	COCO:       instances JSON                        --Source.Open-->  *coco.Dataset  --Save-->
//	Pascal VOC: Annotations/*.xml                     --Source.Open-->                 --WriteVOC-->
//	YOLO:       data.yaml, labels/*.txt               --Source.Open-->                 --WriteYOLO-->
//	CSV:        path,x1,y1,x2,y2,class                --Source.Open-->                 --WriteCSV-->
//	OpenImages: ImageID,...,XMin,XMax,YMin,YMax,...   --Source.Open-->                 --WriteOpenImages-->
//
// Boxes become COCO's [x, y, width, height] from 0, in pixels. Categories are numbered from 1 in the order of the
// format's own list, or by name where it has none. Errors name the file and the line or object; up to 20 are reported at
// once. Faults of the data (boxes outside, without area) are kept for coco.Dataset.Check to find.
package convert
