package coco_test

import (
	"fmt"
	"strings"

	"retinago/coco"
)

// One object of two is found, and one detection is wrong.
func ExampleEvaluate() {
	gt, err := coco.Read(strings.NewReader(`{
		"images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 200}],
		"categories": [{"id": 3, "name": "cat"}],
		"annotations": [
			{"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 50, 50], "area": 2500, "iscrowd": 0},
			{"id": 2, "image_id": 1, "category_id": 3, "bbox": [100, 100, 50, 50], "area": 2500, "iscrowd": 0}]}`), "gt.json", coco.LoadOptions{})
	if err != nil {
		panic(err)
	}
	detections := []coco.Detection{
		{ImageID: 1, CategoryID: 3, BBox: [4]float64{0, 0, 50, 50}, Score: .9},
		{ImageID: 1, CategoryID: 3, BBox: [4]float64{0, 100, 50, 50}, Score: .6},
	}
	result, err := coco.Evaluate(gt, detections, coco.Params{})
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Summary()[0])
	fmt.Print(result.Table())
	// Output:
	//  Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.505
	//     id  class  objects      AP    AP50    AP75      AR
	//      3  cat          2   0.505   0.505   0.505   0.500
}

func ExampleDataset_Fix() {
	d := &coco.Dataset{
		Images:     []coco.Image{{ID: 1, FileName: "a.jpg", Width: 100, Height: 50}},
		Categories: []coco.Category{{ID: 1, Name: "cat"}},
		Annotations: []coco.Annotation{
			{ID: 1, ImageID: 1, CategoryID: 1, BBox: [4]float64{90, 0, 20, 20}, Area: 400},
			{ID: 2, ImageID: 8, CategoryID: 1, BBox: [4]float64{0, 0, 20, 20}, Area: 400},
		},
	}
	_, report := d.Fix(coco.Clip)
	fmt.Print(report)
	// Output:
	// images 1 -> 1, annotations 2 -> 1, categories 1 -> 1, 2 changes
	//   annotations[0] (id 1): overhanging-box: clipped from [90 0 20 20] to [90 0 10 20]
	//   annotations[1] (id 2): unknown-image: dropped
}
