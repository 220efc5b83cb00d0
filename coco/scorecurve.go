package coco

import (
	"fmt"
	"sort"
)

// ScoreCurves holds precision, recall and F1 of the detections from each score on, at one IoU, for choosing a lowest score.
type ScoreCurves struct {
	IoU     float64
	Classes []ScoreCurve // [K], as Result.Classes
	All     ScoreCurve   // every object and detection of all classes counted together
}

// ScoreCurve is that of one class. Without objects it has no points.
type ScoreCurve struct {
	Objects int          // that count: crowds do not
	Points  []ScorePoint // by falling score; one for every score of a detection that is right or wrong
	Best    ScorePoint   // the point of largest F1, of several the one of highest score; zero where nothing is found
}

// ScorePoint counts the detections of Score or more.
type ScorePoint struct {
	Score        float64
	Found, Wrong int
	Precision    float64 // Found / (Found + Wrong)
	Recall       float64 // Found / Objects
	F1           float64 // 2 Precision Recall / (Precision + Recall)
}

// ByScore matches as Evaluate does, at the one threshold of p.IoUs (nil is .5). A least score changes no match of the
// detections above it, since those of high score choose first.
func ByScore(gt *Dataset, dt []Detection, p Params) (*ScoreCurves, error) {
	if p.IoUs == nil {
		p.IoUs = []float64{.5}
	}
	if len(p.IoUs) != 1 {
		return nil, fmt.Errorf("%d IoU thresholds for curves by score: give one", len(p.IoUs))
	}
	e, err := matched(gt, dt, p)
	if err != nil {
		return nil, err
	}
	c := &ScoreCurves{IoU: p.IoUs[0], Classes: make([]ScoreCurve, len(e.classes))}
	var pooled []decided
	for k, pairs := range e.classes {
		list := e.decide(pairs)
		pooled = append(pooled, list...)
		c.All.Objects += e.objects(pairs)
		c.Classes[k] = newScoreCurve(e.objects(pairs), list)
	}
	sort.SliceStable(pooled, func(i, j int) bool { return pooled[i].score > pooled[j].score })
	c.All = newScoreCurve(c.All.Objects, pooled)
	return c, nil
}

// At is the point that a least score gives: zero where no detection reaches it.
func (c *ScoreCurve) At(score float64) ScorePoint {
	n := sort.Search(len(c.Points), func(i int) bool { return c.Points[i].Score < score })
	if n == 0 {
		return ScorePoint{}
	}
	return c.Points[n-1]
}

// decided is a detection that is right or wrong.
type decided struct {
	score float64
	right bool
}

// decide lists them by falling score, at the first threshold and for objects of any size.
func (e *evaluation) decide(pairs span) []decided {
	var list []decided
	for _, d := range e.rank(pairs) {
		if o := e.outcomes[d.at]; o != ignored {
			list = append(list, decided{d.score, o == truePositive})
		}
	}
	return list
}

func (e *evaluation) objects(pairs span) int {
	n := 0
	for i := pairs.from; i < pairs.to; i++ {
		n += int(e.pairs[i].counts[0])
	}
	return n
}

func newScoreCurve(objects int, list []decided) ScoreCurve {
	c := ScoreCurve{Objects: objects}
	if objects == 0 {
		return c
	}
	p := ScorePoint{}
	for i, d := range list {
		if d.right {
			p.Found++
		} else {
			p.Wrong++
		}
		if i+1 < len(list) && list[i+1].score == d.score {
			continue // a least score takes all or none of them
		}
		p.Score = d.score
		p.Precision = float64(p.Found) / float64(p.Found+p.Wrong)
		p.Recall = float64(p.Found) / float64(objects)
		p.F1 = 2 * float64(p.Found) / float64(p.Found+p.Wrong+objects)
		c.Points = append(c.Points, p)
		if p.F1 > c.Best.F1 {
			c.Best = p
		}
	}
	return c
}
