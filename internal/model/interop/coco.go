package interop

import (
	"strings"

	"retinago/detector"
)

// cocoNames are COCO's categories by id, - where an id is not used.
const cocoNames = `person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,-,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,
cow,elephant,bear,zebra,giraffe,-,backpack,umbrella,-,-,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,
skateboard,surfboard,tennis racket,bottle,-,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,
cake,chair,couch,potted plant,bed,-,dining table,-,-,toilet,-,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,
sink,refrigerator,-,book,clock,vase,scissors,teddy bear,hair drier,toothbrush`

// COCO returns the 80 categories of COCO with their ids, which run to 90.
func COCO() []detector.Category {
	var out []detector.Category
	for i, n := range strings.Split(strings.ReplaceAll(cocoNames, "\n", ""), ",") {
		if n != "-" {
			out = append(out, detector.Category{ID: int64(i + 1), Name: n})
		}
	}
	return out
}
