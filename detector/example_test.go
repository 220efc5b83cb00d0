package detector_test

import (
	"fmt"
	"log"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
)

// A model without training: 1% sure of everything, so that nothing passes a threshold of 5%.
func Example() {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	c := config.Default().Model
	c.Backbone, c.FPNWidth, c.Classes = "resnet18", 32, []string{"cat", "dog"}
	m, err := detector.New(c, e, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	const h, w = 128, 192
	net, err := m.Net(1, h, w)
	if err != nil {
		log.Fatal(err)
	}
	raw, err := net.Run(make([]float32, h*w*3))
	if err != nil {
		log.Fatal(err)
	}
	anchors, _ := m.Anchors(h, w)
	found := m.Decode(raw, 0, h, w, w, h, detector.Decoding{Score: .05, TopK: 1000, NMS: .5, MaxDets: 100})
	fmt.Println(len(anchors), "anchors,", len(found), "detections")
	// Output: 4608 anchors, 0 detections
}
