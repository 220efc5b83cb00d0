package output_test

import (
	"log"
	"os"

	"retinago/box"
	"retinago/detector"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/output"
	"retinago/internal/media/source"
)

func Example() {
	rows, err := output.NewCSV("-", os.Stdout)
	if err != nil {
		log.Fatal(err)
	}
	err = rows.Write(infer.Result{ // in its place, one of Predictor.Stream
		Frame: source.Frame{Path: "a.jpg"},
		Size:  data.Size{W: 640, H: 480},
		Found: []infer.Detection{{Box: box.FromXYWH(10, 20, 30, 40), Category: detector.Category{ID: 1, Name: "cat"}, Score: .75}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// source,frame,time,class,category_id,score,x1,y1,x2,y2,track
	// a.jpg,,,cat,1,0.75,10,20,40,60,
}
