package infer

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"retinago/config"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Decoding and preparing real images on one core, each stage's least time of each image in ms. $RETINAGO_PICTURES is a glob.
func BenchmarkPrepare(b *testing.B) {
	pattern := os.Getenv("RETINAGO_PICTURES")
	if pattern == "" {
		pattern = filepath.Join("..", "..", "shared", "data", "pictures", "*.jpg")
	}
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		b.Skipf("no pictures in %s", pattern)
	}
	for _, k := range []struct {
		short, long int
		fast        bool
	}{{800, 1333, false}, {160, 256, false}, {160, 256, true}} {
		b.Run(fmt.Sprintf("%d fast=%v", k.short, k.fast), func(b *testing.B) {
			c := config.Default().Data
			c.ShortSides, c.MaxSide, c.FastDecode = []int{k.short}, k.long, k.fast
			p := &Predictor{}
			p.info.Config.Data = c
			least := map[string][2]time.Duration{}
			for b.Loop() {
				for _, f := range files {
					begin := time.Now()
					pic, w, h, err := picture.DecodeFor(b.Context(), f, data.Target(c, k.short))
					if err != nil {
						b.Fatal(err)
					}
					decoded := time.Now()
					in, err := p.Prepare(pic, data.Size{W: w, H: h})
					if err != nil {
						b.Fatal(err)
					}
					t := [2]time.Duration{decoded.Sub(begin), time.Since(decoded)}
					in.Release()
					pic.Release()
					if old, ok := least[f]; ok {
						t[0], t[1] = min(t[0], old[0]), min(t[1], old[1])
					}
					least[f] = t
				}
			}
			var sum [2]time.Duration
			for _, t := range least {
				sum[0], sum[1] = sum[0]+t[0], sum[1]+t[1]
			}
			n := float64(len(files))
			b.ReportMetric(1e3*sum[0].Seconds()/n, "decode-ms/picture")
			b.ReportMetric(1e3*sum[1].Seconds()/n, "prepare-ms/picture")
			b.ReportMetric(0, "ns/op")
		})
	}
}
