package detector

import (
	"regexp"
	"strings"

	"retinago/nn"
)

// Stages names the part of the network that each operation belongs to: "stem", "layer1" and so on (the first numbered word of
// the layers' names, else their first), "FPN", "class head", "box head" and "losses", with " backward" for
// what a gradient computes there.
func Stages(layers []nn.Layer) []string {
	losses := map[string]bool{} // operations whose result is one number, and their gradients
	for _, l := range layers {
		if !l.Back && l.Shape.TotalSize() == 1 {
			losses[l.Op], losses[l.Op+"Grad"] = true, true
		}
	}
	out := make([]string, len(layers))
	for i, l := range layers {
		out[i] = stage(l.Name)
		if losses[l.Op] {
			out[i] = "losses"
		}
		if l.Back {
			out[i] += " backward"
		}
	}
	return out
}

// numbered is a word of a layer's name that counts stages: "layer1", "block2".
var numbered = regexp.MustCompile(`^[a-z]+\d+$`)

// stage is the part of the network of a layer by its name.
func stage(name string) string {
	if rest, ok := strings.CutPrefix(name, BackbonePrefix); ok {
		words := strings.Split(rest, ".")
		if words[0] == "conv1" {
			return "stem"
		}
		for _, w := range words[:len(words)-1] {
			if numbered.MatchString(w) {
				return w
			}
		}
		return words[0]
	}
	for _, p := range [][2]string{{pyramidPrefix, "FPN"}, {headPrefix + "classification", "class head"}, {headPrefix + "regression", "box head"}} {
		if strings.HasPrefix(name, p[0]) {
			return p[1]
		}
	}
	return "other"
}
