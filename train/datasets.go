package train

import (
	"context"
	"fmt"
	"math"
	"time"

	"retinago/coco"
	"retinago/config"
	"retinago/detector"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/progress"
	"retinago/internal/text"
)

// openData opens the training set and the validation set, nil where there is none. The training set's categories become c's classes
// where c has none; else both sets must have c's.
func (l *Loop) openData(c *config.Config, o Options) (val *data.Dataset, err error) {
	if l.data, err = open(*c, c.Data.Train, "data.train", o); err != nil {
		return nil, err
	}
	if c.Data.Val.Source == "" && c.Data.ValShare > 0 {
		if l.data, val, err = l.data.HoldOut(c.Data.ValShare, c.Data.ValSeed); err != nil {
			return nil, fmt.Errorf("data.val_share: %w", err)
		}
	}
	if len(c.Model.Classes) == 0 {
		for _, k := range l.data.Categories() {
			c.Model.Classes = append(c.Model.Classes, k.Name)
			c.Model.CategoryIDs = append(c.Model.CategoryIDs, k.ID)
		}
	} else if err := sameCategories(*c, l.data); err != nil {
		return nil, err
	}
	if c.Data.Val.Source == "" {
		return val, nil
	}
	if val, err = open(*c, c.Data.Val, "data.val", o); err != nil {
		return nil, err
	}
	// Formats without ids number the classes of each set by itself.
	if val, err = val.Renumbered(c.Model.Classes, c.Model.CategoryIDs); err != nil {
		return nil, err
	}
	return val, sameCategories(*c, val)
}

func open(c config.Config, s config.Set, key string, o Options) (*data.Dataset, error) {
	if s.Source == "" {
		return nil, fmt.Errorf("train: %s.source must say where the dataset is; set it in the config or with -set", key)
	}
	d, err := data.OpenFor(context.Background(), data.Source(c.Data, s), data.Run{Log: o.Log, Ignore: o.IgnoreFindings, Quiet: o.Examined, SkipHeaders: o.SkipHeaders})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return d, nil
}

// sameCategories checks that a dataset has the model's classes: class k of the model is category k of the dataset.
func sameCategories(c config.Config, d *data.Dataset) error {
	have := d.Categories()
	same := len(have) == len(c.Model.Classes)
	for i := 0; same && i < len(have); i++ {
		same = have[i].Name == c.Model.Classes[i] && (len(c.Model.CategoryIDs) == 0 || have[i].ID == c.Model.CategoryIDs[i])
	}
	if same {
		return nil
	}
	var theirs, ours []string
	for _, k := range have {
		theirs = append(theirs, fmt.Sprintf("%d %s", k.ID, k.Name))
	}
	for i, name := range c.Model.Classes {
		if i < len(c.Model.CategoryIDs) {
			name = fmt.Sprintf("%d %s", c.Model.CategoryIDs[i], name)
		}
		ours = append(ours, name)
	}
	return fmt.Errorf("train: %s has the categories %s, the model has the classes %s: they must be the same in the same order; "+
		"data.classes selects some of a dataset's classes, and data.rename gives them other names", d.Path(), text.Brief(theirs), text.Brief(ours))
}

// categories are the classes of a checkpoint: ids run from 1 where the configuration has none.
func categories(c config.Config) []detector.Category {
	out := make([]detector.Category, len(c.Model.Classes))
	for i, n := range c.Model.Classes {
		out[i] = detector.Category{ID: int64(i + 1), Name: n}
		if i < len(c.Model.CategoryIDs) {
			out[i].ID = c.Model.CategoryIDs[i]
		}
	}
	return out
}

// measureOn returns the evaluation of a run's model on a dataset.
func measureOn(val *data.Dataset) measurement {
	return func(ctx context.Context, l *Loop) (measured, error) {
		line, begun := progress.On(l.log), time.Now()
		e, err := infer.Evaluate(ctx, l.model, l.config, val, func(done, total int) {
			n, all := int64(done), int64(total)
			line.Show(progress.Status{What: fmt.Sprintf("evaluation %d/%d", done, total), Done: n, Total: all, Left: progress.Left(begun, n, all)})
		})
		if err != nil {
			return measured{}, err
		}
		r, err := coco.Evaluate(val.COCO(), e.Detections, coco.Params{})
		if err != nil {
			return measured{}, err
		}
		c, err := coco.ByScore(val.COCO(), e.Detections, coco.Params{})
		if err != nil {
			return measured{}, err
		}
		return measured{r.Stats, r.String(), bestScores(c)}, nil
	}
}

// bestScores returns the scores of the best F1 by class, 0 for a class in which nothing was found; nil where that is all of them. They
// are rounded down to thousandths, so that detections of the very score reach them however they are rounded.
func bestScores(c *coco.ScoreCurves) []float64 {
	scores, some := make([]float64, len(c.Classes)), false
	for i, k := range c.Classes {
		if k.Best.F1 > 0 {
			scores[i], some = min(max(math.Floor(1000*k.Best.Score)/1000, .001), .999), true
		}
	}
	if !some {
		return nil
	}
	return scores
}
