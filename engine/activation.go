package engine

import (
	"fmt"
	"math"
	"strings"
)

// Activation is a function of every element that follows an operation. The zero value is None. Functions of x let a NaN through.
type Activation struct {
	Kind  ActivationKind
	Slope float32 // Rectified: the factor below 0, at least 0
	Cap   float32 // Rectified: the largest value; 0 is none
}

// ActivationKind is the form of an Activation; numbers are those of engine/formula.
type ActivationKind int

const (
	Identity  ActivationKind = iota // y = x
	Rectified                       // y = x > 0 ? min(x, Cap) : Slope*x
	Swish                           // y = x * sigmoid(x)
)

// The activations.
var (
	None  = Activation{}
	ReLU  = Activation{Kind: Rectified}
	ReLU6 = Activation{Kind: Rectified, Cap: 6} // of MobileNet
	SiLU  = Activation{Kind: Swish}             // Elfwing et al. 2018; Ramachandran et al. 2017 call it swish
)

// Activations are those that a configuration can name.
var Activations = []struct {
	Name string
	Activation
}{{"relu", ReLU}, {"relu6", ReLU6}, {"silu", SiLU}}

// ParseActivation returns the activation of a name.
func ParseActivation(name string) (Activation, error) {
	var names []string
	for _, a := range Activations {
		if a.Name == name {
			return a.Activation, nil
		}
		names = append(names, a.Name)
	}
	return None, fmt.Errorf("engine: unknown activation %q; there are %s", name, strings.Join(names, ", "))
}

// LeakyReLU is x above 0 and slope*x below (Maas et al. 2013); ReLU for a slope of 0.
func LeakyReLU(slope float32) Activation { return Activation{Kind: Rectified, Slope: slope} }

// Plain reports whether norms and sums compute the activation themselves: None and ReLU.
func (a Activation) Plain() bool { return a == None || a == ReLU }

// Fused reports whether convolutions compute the activation themselves.
func (a Activation) Fused() bool { return a.Kind == Identity || a.Kind == Rectified }

// ByOutput reports whether the gradient is taken at the output instead of the input, which need not be kept then.
func (a Activation) ByOutput() bool { return a.Kind == Rectified }

// Value is the activation of x.
func (a Activation) Value(x float32) float32 {
	switch a.Kind {
	case Rectified:
		if x < 0 {
			x *= a.Slope
		}
		if a.Cap > 0 {
			x = min(x, a.Cap)
		}
	case Swish:
		x = float32(float64(x) / (1 + math.Exp(-float64(x))))
	}
	return x
}
