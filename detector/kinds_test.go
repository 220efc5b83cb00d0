package detector

import (
	"testing"

	"retinago/backbone"
	"retinago/loss"
)

// still is a loss that follows the batches, without what makes it do so.
type still struct{ loss.Class }

// The gradient of the whole network is right with every class and box loss of the tables, and with every family of backbones.
func TestGradientOfEveryKind(t *testing.T) {
	for _, k := range loss.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			c := tiny()
			c.Background = k.Background
			f := LossFunc{Box: focal.Box}
			p := loss.DefaultParams()
			if k.Quality != nil {
				f.Quality = k.Quality(p)
				alongGradient(t, newModel(t, c), f, "classification_head") // qualities are constants to the gradient
				return
			}
			p.Compensation = 0 // its factor is a constant to the gradient
			f.Class = k.Class(p)
			if a, ok := f.Class.(loss.Adaptive); ok {
				f.Class = still{a}
			}
			alongGradient(t, newModel(t, c), f)
		})
	}
	for _, k := range backbone.Smallest() {
		t.Run(k.Name, func(t *testing.T) {
			c := tiny()
			c.Backbone, c.Norm = k.Name, "frozen"
			if k.FixedWidth {
				c.BackboneWidth = 0
			}
			alongGradient(t, newModel(t, c), focal)
		})
	}
}
