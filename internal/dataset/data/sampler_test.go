package data

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/config"
)

// tailed has ten images: eight with class a, of which the first two have b too, one with c and a crowd of a, one without objects.
func tailed(t *testing.T) *Dataset {
	t.Helper()
	c := &coco.Dataset{Path: "tailed.json", Categories: []coco.Category{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}, {ID: 3, Name: "c"}, {ID: 4, Name: "none"}}}
	add := func(image, category int64, crowd bool) {
		c.Annotations = append(c.Annotations, coco.Annotation{ID: int64(len(c.Annotations) + 1), ImageID: image, CategoryID: category, BBox: [4]float64{1, 1, 9, 9}, Area: 81, IsCrowd: crowd})
	}
	for i := range int64(10) {
		c.Images = append(c.Images, coco.Image{ID: i + 1, FileName: fmt.Sprint(i), Width: 32, Height: 32})
		if i < 8 {
			add(i+1, 1, false)
			add(i+1, 1, false)
		}
		if i < 2 {
			add(i+1, 2, false)
		}
	}
	add(9, 3, false)
	add(9, 1, true)
	d, err := use(c, "")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// How often images come, by hand. Gupta et al. 2019: b is in a fifth of the images and c in a tenth, so that a threshold of .4 repeats
// their images sqrt(2) and 2 times; the sum of 11.83 becomes 12. Balanced: each of three classes has three draws.
func TestSamplerTimes(t *testing.T) {
	d := tailed(t)
	two := 12 / (2*math.Sqrt2 + 2 + 7)
	for name, want := range map[string][]float64{
		"repeat_factor":  {two * math.Sqrt2, two * math.Sqrt2, two, two, two, two, two, two, 2 * two, two},
		"class_balanced": {3./8 + 3./2, 3./8 + 3./2, 3. / 8, 3. / 8, 3. / 8, 3. / 8, 3. / 8, 3. / 8, 3, 1},
	} {
		s, err := FindSampler(name)
		if err != nil {
			t.Fatal(err)
		}
		got, total := s.times(d, config.Data{RepeatThreshold: .4})
		sum := 0.0
		for i, w := range want {
			sum += got[i]
			if math.Abs(got[i]-w) > 1e-12 {
				t.Errorf("%s: picture %d comes %g times, want %g", name, i, got[i], w)
			}
		}
		if math.Abs(sum-float64(total)) > 1e-9 || total != map[string]int{"repeat_factor": 12, "class_balanced": 10}[name] {
			t.Errorf("%s: %d pictures, the times add up to %g", name, total, sum)
		}
	}
	if s, _ := FindSampler("uniform"); s.weigh != nil {
		t.Error("uniform weighs")
	}
	if _, err := FindSampler("balanced"); err == nil || !strings.Contains(err.Error(), "uniform, repeat_factor, class_balanced") {
		t.Errorf("an unknown sampler: %v", err)
	}
	if got := d.ObjectCounts(); !slices.Equal(got, []int{16, 2, 1, 0}) {
		t.Errorf("%v objects", got)
	}
}

// Every epoch has as many images, each as often as its times say, rounded; epochs differ, keep the mean, and come again with the seed.
func TestDrawn(t *testing.T) {
	d := tailed(t)
	for _, name := range []string{"repeat_factor", "class_balanced"} {
		s, _ := FindSampler(name)
		draw := func() *order {
			o := newOrder(d.sizes(), []int{32}, 64, 32, 1, 1, 9)
			o.times, o.total = s.times(d, config.Data{RepeatThreshold: .4})
			return o
		}
		o, again := draw(), draw()
		mean, differ := make([]float64, d.Len()), false
		const epochs = 2000
		var first []int
		for e := range epochs {
			jobs := o.epoch(e)
			if e < 5 && !reflect.DeepEqual(jobs, again.epoch(e)) {
				t.Fatalf("%s: epoch %d is another one with the same seed", name, e)
			}
			if len(jobs) != o.perEpoch() {
				t.Fatalf("%s: %d batches, want %d", name, len(jobs), o.perEpoch())
			}
			counts, pictures := make([]int, d.Len()), []int(nil)
			for _, j := range jobs {
				counts[j.images[0]]++
				pictures = append(pictures, j.images[0])
			}
			if first == nil {
				first = pictures
			}
			differ = differ || !slices.Equal(first, pictures)
			for i, n := range counts {
				if math.Abs(float64(n)-o.times[i]) >= 1+1e-9 {
					t.Fatalf("%s: picture %d comes %d times in epoch %d, want about %g", name, i, n, e, o.times[i])
				}
				mean[i] += float64(n) / epochs
			}
		}
		for i, m := range mean {
			if math.Abs(m-o.times[i]) > .05 { // four standard errors and more
				t.Errorf("%s: picture %d comes %.3f times in the mean, want %.3f", name, i, m, o.times[i])
			}
		}
		if !differ {
			t.Errorf("%s: all epochs are alike", name)
		}
	}
}

// The order of uniform is the one that runs so far have had.
func TestUniformOrder(t *testing.T) {
	o := newOrder(slices.Repeat([]Size{{32, 32}}, 8), []int{32}, 64, 32, 1, 2, 7)
	var got []int
	for e := range 2 {
		for _, j := range o.epoch(e) {
			got = append(got, j.images...)
		}
	}
	if want := []int{5, 0, 2, 6, 4, 1, 3, 7, 2, 3, 1, 0, 6, 4, 7, 5}; !slices.Equal(got, want) {
		t.Errorf("the pictures come as %v, want %v", got, want)
	}
}

// With every sampler workers do not change what comes out, and a loader that seeks continues like one that did not stop.
func TestSamplersAreDeterministic(t *testing.T) {
	d := made(t, 23)
	for i := range d.coco.Annotations[:3] {
		d.coco.Annotations[i].CategoryID = 3
	}
	d, err := use(d.coco, d.images)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Samplers {
		run := func(workers, skip int) (out []*Batch) {
			c := settings()
			c.Workers, c.Sampler, c.RepeatThreshold = workers, s.Name, .5
			l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			per := l.BatchesPerEpoch()
			if err := l.Seek(skip/per, skip%per); err != nil {
				t.Fatal(err)
			}
			if text := l.Epoch(); !strings.Contains(text, fmt.Sprint(per, " steps of 4")) {
				t.Errorf("%s: %s", s.Name, text)
			}
			return take(t, l, 14-skip)
		}
		all := run(1, 0)
		for _, c := range []struct{ workers, skip int }{{4, 0}, {3, 8}, {2, 11}} {
			if got := run(c.workers, c.skip); !reflect.DeepEqual(got, all[c.skip:]) {
				t.Errorf("%s: %d workers from batch %d on: other batches", s.Name, c.workers, c.skip)
			}
		}
	}
	c := settings()
	c.Sampler = "balanced"
	if _, err := NewLoader(d, c, LoaderOptions{Batch: 4}); err == nil || !strings.Contains(err.Error(), "data.sampler") {
		t.Errorf("an unknown sampler: %v", err)
	}
}
