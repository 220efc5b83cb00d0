package data

import (
	"math"
	"slices"

	"retinago/config"
	"retinago/internal/kinds"
)

// Sampler decides how often the images of a training set come in an epoch. The draw of an epoch depends on the seed and the epoch's
// number alone.
type Sampler struct {
	kinds.Kind
	// weigh returns how often each image comes in an epoch on average; nil where each comes once.
	weigh func(p presence, c config.Data) []float64
}

// Samplers are the samplers, by the names of config.Data.
var Samplers = []Sampler{
	{Kind: kinds.Kind{Name: "uniform", Text: "every image once"}},
	{
		Kind: kinds.Kind{Name: "repeat_factor", Text: "images with a rare class more often: max(1, sqrt(t/f)) times for the rarest of their classes, which a share f " +
			"of the images has (Gupta et al. 2019, section 3)",
			Params: []kinds.Param{{Key: "repeat_threshold", Default: .001, Max: 1, Above: true, Want: "above 0, at most 1", Text: "the share t below which a class is rare"}}},
		weigh: repeatFactors,
	},
	{
		Kind: kinds.Kind{Name: "class_balanced", Text: "as many draws for each class, shared by the images that have it; as many images as `uniform`, " +
			"and those without objects once"},
		weigh: classBalanced,
	},
}

// FindSampler returns the sampler with a name.
func FindSampler(name string) (Sampler, error) { return kinds.Find(Samplers, "sampler", name) }

// times returns how often each image comes in an epoch on average, nil where each comes once, and the number of images of an epoch.
// The times add up to that number: they are scaled to a whole one.
func (s Sampler) times(d *Dataset, c config.Data) ([]float64, int) {
	if s.weigh == nil {
		return nil, d.Len()
	}
	times, sum := s.weigh(d.presence(), c), 0.0
	for _, t := range times {
		sum += t
	}
	total := max(int(math.Round(sum)), d.Len())
	for i := range times {
		times[i] *= float64(total) / sum
	}
	return times, total
}

// EpochLength is the images in an epoch of training: those of the dataset, or those that the sampler of the configuration draws.
func (d *Dataset) EpochLength(c config.Data) (int, error) {
	s, err := FindSampler(c.Sampler)
	if err != nil {
		return 0, err
	}
	_, n := s.times(d, c)
	return n, nil
}

// presence is which classes images have. Crowds do not count.
type presence struct {
	of       [][]int32 // the classes of each image, rising, each once
	pictures []int     // how many images have a class
}

func (d *Dataset) presence() presence {
	p := presence{of: make([][]int32, d.Len()), pictures: make([]int, len(d.index.Names))}
	for i := range p.of {
		_, classes, crowd := d.Objects(i)
		for k, c := range classes {
			if !crowd[k] {
				p.of[i] = append(p.of[i], c)
			}
		}
		slices.Sort(p.of[i])
		p.of[i] = slices.Compact(p.of[i])
		for _, c := range p.of[i] {
			p.pictures[c]++
		}
	}
	return p
}

func repeatFactors(p presence, c config.Data) []float64 {
	times := make([]float64, len(p.of))
	for i, classes := range p.of {
		times[i] = 1
		for _, k := range classes {
			share := float64(p.pictures[k]) / float64(len(p.of))
			times[i] = max(times[i], math.Sqrt(c.RepeatThreshold/share))
		}
	}
	return times
}

func classBalanced(p presence, _ config.Data) []float64 {
	present, empty := 0, 0
	for _, n := range p.pictures {
		if n > 0 {
			present++
		}
	}
	for _, classes := range p.of {
		if len(classes) == 0 {
			empty++
		}
	}
	draws := float64(len(p.of)-empty) / float64(max(present, 1)) // of a class
	times := make([]float64, len(p.of))
	for i, classes := range p.of {
		if len(classes) == 0 {
			times[i] = 1
		}
		for _, k := range classes {
			times[i] += draws / float64(p.pictures[k])
		}
	}
	return times
}
