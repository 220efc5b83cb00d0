package serve

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"retinago/detector"
	"retinago/infer"
)

// model is a Model at work.
type model struct {
	Model
	queue *queue
}

// model returns a model by its name; an empty name is the first.
func (s *Server) model(name string) (*model, error) {
	if name == "" {
		return s.models[0], nil
	}
	for _, m := range s.models {
		if m.Name == name {
			return m, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "model", "there is no model %.80q; /v1/models lists them", name)
}

// only marks classes that are given by name or by category id.
func (m *model) only(list string) ([]bool, error) {
	categories := m.Network.Info().Categories
	names := infer.SplitClasses(list, func(name string) bool {
		return slices.ContainsFunc(categories, func(c detector.Category) bool { return c.Name == name })
	})
	out := make([]bool, len(categories))
	for _, name := range names {
		found := false
		for i, c := range categories {
			if name == c.Name || name == strconv.FormatInt(c.ID, 10) {
				out[i], found = true, true
			}
		}
		if !found {
			var all []string
			for _, c := range categories[:min(len(categories), 100)] {
				all = append(all, c.Name)
			}
			return nil, fmt.Errorf("no class %.80q; there are %s", name, strings.Join(all, ", "))
		}
	}
	return out, nil
}

// modelInfo is the JSON of a model in /v1/models.
type modelInfo struct {
	Name    string              `json:"name"`
	Classes []detector.Category `json:"classes"`          // by class number
	Score   float32             `json:"score"`            // the defaults of requests
	Scores  []float32           `json:"scores,omitempty"` // by class number, in place of score
	NMS     float32             `json:"nms"`
	Method  string              `json:"method"`
	Max     int                 `json:"max"`
	Metrics map[string]float64  `json:"metrics,omitempty"` // of the checkpoint's last evaluation
}

func (m *model) describe() modelInfo {
	i, d := m.Network.Info(), m.Network.Decoding()
	return modelInfo{m.Name, i.Categories, d.Score, d.Scores, d.NMS, kind(d.Method), d.MaxDets, i.Metrics}
}

// kind names the method of NMS.
func kind(method string) string {
	if method == "" {
		return "greedy"
	}
	return method
}

func (s *Server) listModels(w http.ResponseWriter, r *http.Request) {
	list := struct {
		Models []modelInfo `json:"models"`
	}{}
	for _, m := range s.models {
		list.Models = append(list.Models, m.describe())
	}
	s.write(w, http.StatusOK, list)
}
