package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"log"
	"net/http"
	"net/http/httptest"

	"retinago/infer"
)

// A server among the handlers of another program. Serve is for those who have none.
func Example() {
	path, err := tiny() // in its place, a checkpoint of training
	if err != nil {
		log.Fatal(err)
	}
	p, err := infer.Load(path, infer.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	s, err := New(Options{Models: []Model{{"shapes", p}}, Queue: 8})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	mux := http.NewServeMux()
	mux.Handle("/detector/", http.StripPrefix("/detector", s.Handler()))
	host := httptest.NewServer(mux)
	defer host.Close()

	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewRGBA(image.Rect(0, 0, 320, 240)), nil); err != nil {
		log.Fatal(err)
	}
	r, err := http.Post(host.URL+"/detector/v1/detect?score=.5", "image/jpeg", &file)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Body.Close()
	var a Answer
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d: %s found %d objects on %dx%d pixels\n", r.StatusCode, a.Model, len(a.Detections), a.Width, a.Height)
	// Output: 200: shapes found 0 objects on 320x240 pixels
}
