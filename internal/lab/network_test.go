package lab

import (
	"strings"
	"testing"

	"retinago/config"
	"retinago/internal/lab/report"
)

// Every map of the pyramid stands in the figure, with its stride and width, and each head with its outputs.
func TestNetwork(t *testing.T) {
	m := config.Default().Model
	m.P2, m.FPNWidth, m.HeadDepth = true, 96, 3
	page := report.Page{Title: "t", Sections: []report.Section{{Title: "network", Blocks: []report.Block{report.Figures{network(m)}}}}}
	html, err := page.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"C2  1/4", "C5  1/32", "P2  1/4, 96", "P7  1/128, 96", "3 x 3x3, 96", "9 anchors x classes", "9 anchors x 4"} {
		if !strings.Contains(html, want) {
			t.Errorf("the figure does not say %q", want)
		}
	}
	if strings.Contains(html, "C6  ") {
		t.Error("the backbone has no C6")
	}
}
