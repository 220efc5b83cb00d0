package train

import (
	"fmt"
	"math"

	"retinago/backbone"
	"retinago/config"
	"retinago/nn"
)

// factors are a parameter's own factors on the learning rate and the weight decay.
type factors struct{ lr, decay float32 }

// factorsOf returns the factors of each parameter, by train.groups and train.layer_decay.
func factorsOf(c config.Train, params []*nn.Param) (map[string]factors, error) {
	groups, err := c.ParamGroups()
	if err != nil {
		return nil, err
	}
	out := make(map[string]factors, len(params))
	for _, p := range params {
		f := factors{1, 1}
		if p.Stage > 0 {
			f.lr = float32(math.Pow(c.LayerDecay, float64(backbone.Stages+1-p.Stage)))
		}
		if g := groupOf(groups, p.Name); g != nil {
			f.lr, f.decay = f.lr*float32(g.LR), float32(g.Decay)
		}
		out[p.Name] = f
	}
	return out, nil
}

// groupOf returns the last group that has a parameter, or nil.
func groupOf(groups []config.ParamGroup, name string) (last *config.ParamGroup) {
	for i := range groups {
		if groups[i].Fits(name) {
			last = &groups[i]
		}
	}
	return last
}

// Freeze makes the parameters of the groups of train.groups that are frozen untrainable. It returns an error for a group that no parameter
// fits. Call it before the first training graph is made.
func Freeze(c config.Train, params []*nn.Param) error {
	groups, err := c.ParamGroups()
	if err != nil {
		return err
	}
	for i := range groups {
		found := false
		for _, p := range params {
			found = found || groups[i].Fits(p.Name)
		}
		if !found {
			return fmt.Errorf("train.groups[%d]: no parameter fits %q; they are named such as %s and %s; `retinago summary` lists them",
				i, groups[i].Pattern, params[0].Name, params[len(params)-1].Name)
		}
	}
	for _, p := range params {
		if g := groupOf(groups, p.Name); g != nil && g.Freeze {
			p.Trainable = false
		}
	}
	return nil
}
