package coco

import (
	"encoding/json"

	"retinago/internal/file"
)

// classRow is a class in the JSON report.
type classRow struct {
	ID       int64   `json:"id"`
	Name     string  `json:"name"`
	Objects  int     `json:"objects"`
	AP       float64 `json:"ap"`
	AP50     float64 `json:"ap50"`
	AP75     float64 `json:"ap75"`
	APSmall  float64 `json:"ap_small"`
	APMedium float64 `json:"ap_medium"`
	APLarge  float64 `json:"ap_large"`
	AR       float64 `json:"ar"`
	ARSmall  float64 `json:"ar_small"`
	ARMedium float64 `json:"ar_medium"`
	ARLarge  float64 `json:"ar_large"`
}

// MarshalJSON writes the twelve numbers at full precision under "stats", the printed lines under "summary", the
// classes under "per_class", what the arrays' axes mean under "params", and the arrays themselves, nested as
// pycocotools has them, under "precision" [T,R,K,A,M] and "recall" [T,K,A,M].
func (r *Result) MarshalJSON() ([]byte, error) {
	head := struct {
		Stats   [12]float64 `json:"stats"`
		Summary []string    `json:"summary"`
		Images  int         `json:"images"`
		Dets    int         `json:"detections"`
		Unknown int         `json:"detections_of_unknown_categories"`
		Params  any         `json:"params"`
		Classes []classRow  `json:"per_class"`
	}{
		Stats: r.Stats, Summary: r.Summary(), Images: r.Images, Dets: r.Detections, Unknown: r.Unknown,
		Params: struct {
			IoUs        []float64 `json:"iou_thresholds"`
			Recalls     []float64 `json:"recall_thresholds"`
			CategoryIDs []int64   `json:"category_ids"`
			Areas       []string  `json:"areas"`
			MaxDets     [3]int    `json:"max_dets"`
		}{r.IoUs, r.Recalls, r.categoryIDs(), r.AreaNames, r.MaxDets},
		Classes: make([]classRow, len(r.Classes)),
	}
	for k, c := range r.Classes {
		head.Classes[k] = classRow{c.ID, c.Name, c.Objects[0], c.AP, c.AP50, c.AP75, c.APSmall, c.APMedium, c.APLarge,
			c.AR, c.ARSmall, c.ARMedium, c.ARLarge}
	}
	b, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	d := r.Dims
	b = append(b[:len(b)-1], `,"precision":`...)
	b, _ = appendNested(b, r.Precision, d[:])
	b = append(b, `,"recall":`...)
	b, _ = appendNested(b, r.Recall, []int{d[0], d[2], d[3], d[4]})
	return append(b, '}'), nil
}

func (r *Result) categoryIDs() []int64 {
	ids := make([]int64, len(r.Classes))
	for k, c := range r.Classes {
		ids[k] = c.ID
	}
	return ids
}

// appendNested writes a row-major array as nested lists and returns what it did not use.
func appendNested(b []byte, v []float64, dims []int) ([]byte, []float64) {
	if len(dims) == 0 {
		return appendFloat(b, v[0]), v[1:]
	}
	b = append(b, '[')
	for i := range dims[0] {
		if i > 0 {
			b = append(b, ',')
		}
		b, v = appendNested(b, v, dims[1:])
	}
	return append(b, ']'), v
}

// Save writes the JSON of MarshalJSON, whole or not at all.
func (r *Result) Save(path string) error {
	b, err := r.MarshalJSON()
	if err != nil {
		return err
	}
	return file.WriteBytes(path, append(b, '\n'))
}
