package lab

import (
	"strings"
	"testing"

	"retinago/config"
)

// Every variant is a configuration that can be, under a name of its own, and of the paper's tables none is missing.
func TestVariants(t *testing.T) {
	rows := map[string]int{}
	for _, all := range [][]Variant{Losses(), Density(), Scales([]string{"resnet50", "resnet101"}, []int{400, 500, 600, 700, 800}, 800, 1333)} {
		seen := map[string]bool{}
		for _, v := range all {
			if seen[v.Name] || v.Words == "" {
				t.Errorf("%s: twice, or without words", v.Name)
			}
			seen[v.Name] = true
			c := config.Default()
			if err := c.Set(v.Sets); err != nil {
				t.Errorf("%s: %v", v.Name, err)
			}
			if v.Table != "" {
				rows[v.Table]++
				if len(v.Paper) != 3 {
					t.Errorf("%s: the paper's numbers are %v", v.Name, v.Paper)
				}
			}
			warned := strings.Join(c.Warnings(), "\n")
			if want := v.Name == "ce-noprior" || v.Name == "ce-a.25"; want != (warned != "") {
				t.Errorf("%s: warnings %q", v.Name, warned)
			}
		}
	}
	for table, want := range map[string]int{tableCE: 5, tableFL: 7, tableAnchor: 7, tableOHEM: 9, tableSpeed: 10, tableStar: 2} {
		if rows[table] != want {
			t.Errorf("table %s has %d rows, want %d", table, rows[table], want)
		}
	}
	if c := Scales([]string{"resnet18"}, []int{96}, 120, 160); strings.Join(c[0].Sets, " ") != "model.backbone=resnet18 data.short_sides=[96] data.max_side=128" {
		t.Errorf("%v", c[0].Sets)
	}
}

func TestSelect(t *testing.T) {
	all := Losses()
	for list, want := range map[string]string{
		"": strings.Join(names(all), " "), "fl-g2": "fl-g2", "fl-g2, ce": "ce fl-g2", "flstar-*": "flstar-g2-b1 flstar-g4-b0", "ohem-*-.5": "ohem-128-.5 ohem-256-.5 ohem-512-.5",
	} {
		got, err := Select(all, list)
		if err != nil || strings.Join(names(got), " ") != want {
			t.Errorf("%q: %v %v, want %s", list, names(got), err, want)
		}
	}
	for list, want := range map[string]string{"fl-g3": `no variant "fl-g3"; there are ce-noprior, ce`, "[": "not a pattern", ",": "no variant"} {
		if _, err := Select(all, list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", list, err)
		}
	}
	got, err := Adjust(all, []string{"ce-a*:train.lr=.5"})
	if err != nil || got[2].Sets[len(got[2].Sets)-1] != "train.lr=.5" || len(got[1].Sets) != len(all[1].Sets) || len(all[2].Sets) != 4 {
		t.Errorf("%v %v", got[2], err)
	}
	for _, bad := range []string{"ce", "ce:lr", "absent:a=1"} {
		if _, err := Adjust(all, []string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if h := Help(all); !strings.Contains(h, "fl-g2 ") || strings.Count(h, "\n") != len(all) {
		t.Errorf("help:\n%s", h)
	}
	if got := strings.Join(settings([]string{"a=1", "b=2", "a=3"}), " "); got != "a=3 b=2" {
		t.Errorf("settings %s", got)
	}
}
