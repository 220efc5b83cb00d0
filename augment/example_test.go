package augment_test

import (
	"fmt"
	"log"

	"retinago/augment"
	"retinago/box"
)

// one is a training set of one image.
type one struct{}

func (one) Len() int { return 1 }

func (one) Image(int) augment.Image {
	return augment.Image{W: 640, H: 480, Objects: []augment.Object{{Box: box.Box{X1: 64, Y1: 48, X2: 320, Y2: 240}, Class: 7}}}
}

// An image of 640x480 px, mirrored and made darker on a canvas of half its size.
func Example() {
	policies := []augment.Policy{
		{Name: "hflip", Settings: map[string]float64{"probability": 1}},
		{Name: "brightness", Settings: map[string]float64{"probability": 1, "min": .5, "max": .5}},
	}
	p, err := augment.NewPlanner(one{}, policies, augment.Options{Seed: 1, MinVisible: .25})
	if err != nil {
		log.Fatal(err)
	}
	scene, objects := p.Plan(augment.Place{Epoch: 0, Number: 12}, 0, augment.Canvas{W: 320, H: 256, Short: 240, Long: 320})
	layer := scene.Layers[0]
	x, y := layer.Position.Point(0, 0)
	fmt.Printf("image %d has its first corner at %v,%v of a canvas of %dx%d\n", layer.Index, x, y, scene.W, scene.H)
	fmt.Printf("red is multiplied by %v\n", layer.Colour.M[0])
	fmt.Printf("class %d at %v\n", objects[0].Class, objects[0].Box)
	// Output:
	// image 0 has its first corner at 320,0 of a canvas of 320x256
	// red is multiplied by 0.5
	// class 7 at {160 24 288 120}
}
