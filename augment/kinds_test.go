package augment

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"retinago/box"
)

// Every policy has a text, a probability and defaults within its ranges, and changes some scene.
func TestKinds(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, k := range Kinds {
		if _, err := FindPreset(k.Name); names[k.Name] || err == nil || k.Text == "" || len(k.Params) == 0 || k.Params[0].Key != "probability" {
			t.Errorf("%s: it has the name of another, no text, or no probability", k.Name)
		}
		names[k.Name] = true
		for _, p := range k.Params {
			if !p.Holds(p.Default) || p.Text == "" {
				t.Errorf("%s: %s has the default %v outside of %s, or no text", k.Name, p.Key, p.Default, p.Range())
			}
		}
		before := planner(t, some(12))
		after := planner(t, some(12), certain(k.Name))
		changed := false
		for n := range 12 {
			a, _ := before.Plan(Place{Number: n}, n, same)
			b, _ := after.Plan(Place{Number: n}, n, same)
			changed = changed || !reflect.DeepEqual(a, b)
			never, _ := planner(t, some(12), Policy{k.Name, settings{"probability": 0}}).Plan(Place{Number: n}, n, same)
			if !reflect.DeepEqual(a, never) {
				t.Errorf("%s with probability 0 changes the scene", k.Name)
			}
		}
		if !changed {
			t.Errorf("%s changes nothing", k.Name)
		}
	}
}

// Presets have policies with settings that hold.
func TestPresets(t *testing.T) {
	t.Parallel()
	for _, p := range Presets {
		list, err := Expand([]Policy{{Name: p.Name}})
		if err != nil || !reflect.DeepEqual(list, p.Policies) || p.Text == "" {
			t.Errorf("%s: %v, %v", p.Name, list, err)
		}
		for _, v := range list {
			if errs := v.Check(); len(errs) > 0 {
				t.Errorf("%s: %v", p.Name, errs)
			}
		}
	}
	list, err := Expand([]Policy{{Name: "lsj"}, {Name: "hue"}, {"scale_jitter", settings{"min": .5}}, {Name: "none"}})
	if want := []Policy{{"scale_jitter", settings{"min": .5}}, {Name: "hue"}}; err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := NewPlanner(set{}, []Policy{{Name: "lsj"}, {Name: "lost"}}, Options{}); err == nil || !strings.Contains(err.Error(), `policy 1: unknown policy "lost"`) {
		t.Errorf("error %v", err)
	}
	if _, err := Expand([]Policy{{"hue", settings{"degrees": 999}}}); err == nil {
		t.Error("a setting outside of its range passes")
	}
}

// Streams differ by each part of their address.
func TestAddress(t *testing.T) {
	t.Parallel()
	seen := map[uint64]string{}
	for _, a := range []Address{{}, {Seed: 1}, {Epoch: 1}, {Place: 1}, {Part: "mosaic.1"}, {Part: "mosaic.2"}} {
		for _, policy := range []string{"", "hue", "mosaic.1"} {
			v := a.Rand(policy).Uint64()
			if other, ok := seen[v]; ok {
				t.Errorf("%+v of %q draws as %s", a, policy, other)
			}
			seen[v] = fmt.Sprintf("%+v of %q", a, policy)
			if a.Rand(policy).Uint64() != v {
				t.Errorf("%+v draws another number again", a)
			}
		}
	}
}

// What a policy draws does not depend on the policies beside it.
func TestPoliciesDrawApart(t *testing.T) {
	t.Parallel()
	images := some(30)
	alone := planner(t, images, certain("hflip"), certain("brightness"), certain("mosaic"))
	beside := planner(t, images, certain("blur"), certain("hflip"), certain("hue"), certain("noise"), certain("brightness"), certain("mosaic"), certain("cutout"))
	for n := range 30 {
		a, _ := alone.Plan(Place{Number: n}, n, same)
		b, _ := beside.Plan(Place{Number: n}, n, same)
		for i := range a.Layers {
			if a.Layers[i].Index != b.Layers[i].Index || a.Layers[i].Position != b.Layers[i].Position || a.Layers[i].Clip != b.Layers[i].Clip {
				t.Fatalf("layer %d lies elsewhere", i)
			}
			m := b.Layers[i].Colour.M
			near(t, "brightness", float64(m[0]+m[1]+m[2]), float64(a.Layers[i].Colour.M[0])) // a hue keeps greys
		}
	}
}

// Mosaic and mixup end at the last part of a run; what else there is goes on.
func TestLate(t *testing.T) {
	t.Parallel()
	p := planner(t, some(30), certain("mosaic"), certain("mosaic9"), certain("mixup"), certain("vflip"))
	s, _ := p.Plan(Place{Late: true}, 4, same)
	if len(s.Layers) != 1 || s.Layers[0].Position[4] >= 0 {
		t.Errorf("%+v", s)
	}
}

// A scene keeps within its canvas whatever was drawn, and so do its objects.
func TestScenesKeepWithinTheCanvas(t *testing.T) {
	t.Parallel()
	var all []Policy
	for _, k := range Kinds {
		all = append(all, Policy{k.Name, settings{"probability": .5}})
	}
	p := planner(t, some(30), all...)
	for n := range 1000 {
		c := Canvas{W: 32 * (1 + n%20), H: 32 * (1 + n%17), Short: 64 + n%500, Long: 700}
		s, objects := p.Plan(Place{Number: n}, n%30, c)
		canvas := frame(float64(c.W), float64(c.H))
		check := func(b box.Box) {
			if common(b, canvas) != b {
				t.Fatalf("%v is beyond the canvas %v", b, canvas)
			}
		}
		for _, l := range s.Layers {
			check(l.Clip)
		}
		for _, b := range s.Fill {
			check(b)
		}
		for _, o := range objects {
			check(o.Box)
		}
	}
}
