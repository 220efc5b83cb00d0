package config

import (
	"fmt"
	"math"
	"strings"

	"retinago/loss"
)

// Warnings lists settings that are allowed and probably a mistake, with their effect and what to set instead. Most arise when the loss is
// changed and the settings that belong to it are not.
func (c Config) Warnings() []string {
	var w warnings
	w.prior(c)
	w.alpha(c.Loss)
	w.unread(c.Loss)
	w.beta(c.Loss)
	w.balance(c)
	if c.Loss.Normalizer == "anchors" {
		w.add("loss.normalizer anchors divides by all anchors, tens of thousands, where the others divide by the few positive ones: "+
			"gradients are that much smaller, and with %s little is learned at a learning rate that was chosen for another normaliser; take positives",
			c.Loss.Kind)
	}
	return w
}

type warnings []string

func (w *warnings) add(format string, a ...any) { *w = append(*w, fmt.Sprintf(format, a...)) }

const (
	// highPrior is the least prior with a warning: above it the first loss of the background exceeds that of objects by far. The paper
	// has .01 and found that the value matters little.
	highPrior = .1
	// fastSGD is the least learning rate of SGD with a warning for cross entropy without prior: its first steps are too large. The
	// paper's training diverges at .01.
	fastSGD = .001
	// farAlpha is the largest distance between alpha and the paper's for the same gamma without a warning. In the paper a distance of .5
	// lowered AP from 31 to 11.
	farAlpha = .3
)

// prior checks the probability that the class head starts with.
func (w *warnings) prior(c Config) {
	p := c.Model.Prior
	if p < highPrior {
		return
	}
	kind, _ := loss.Find(c.Loss.Kind)
	if kind.Background {
		w.add("model.prior %g with loss.kind %s is the probability of all classes together: each anchor begins with a chance of %g to be background, "+
			"where nearly all are; set model.prior to .01", p, c.Loss.Kind, 1-p)
		return
	}
	if kind.HardNegativeMining {
		w.add("model.prior %g with loss.kind %s: all anchors begin as likely objects, so that the hardest are chosen among equals; set model.prior to .01", p, c.Loss.Kind)
		return
	}
	gamma := 0.0
	if kind.Focusing {
		gamma = c.Loss.Gamma
	}
	first := -math.Pow(p, gamma) * math.Log1p(-p)
	text := fmt.Sprintf("model.prior %g: each of the tens of thousands of background anchors begins with a loss of %.2g (%.2g at .01), which outweighs all objects, and ",
		p, first, -math.Pow(.01, gamma)*math.Log1p(-.01))
	switch rate := c.Train.LR * c.Train.Scale(); {
	case c.Train.Optimizer == "sgd" && c.Train.ClipNorm == 0 && rate >= fastSGD:
		w.add("%ssteps of SGD at a rate of %.2g without train.clip_norm diverge or throw the network into a state that it does not leave; "+
			"set model.prior to .01, or lower train.lr below %g", text, rate, fastSGD)
	default:
		w.add("%sthe first steps learn nothing but that all is background; set model.prior to .01", text)
	}
}

// PairedAlpha returns the alpha that the paper found best for a gamma (Lin et al. 2017, table 1b). Between the paper's gammas it is the
// alpha of the next larger one.
func PairedAlpha(gamma float64) float64 {
	switch {
	case gamma <= .2:
		return .75
	case gamma <= .5:
		return .5
	}
	return .25
}

// alpha compares loss.alpha with the paper's best for the kind of loss and its gamma.
func (w *warnings) alpha(l Loss) {
	kind, err := loss.Find(l.Kind)
	own, reads := kind.Param("alpha")
	if err != nil || !reads {
		return
	}
	if d := Default().Loss.Alpha; own.Default != d {
		if l.Alpha == d {
			w.add("loss.alpha %g is the focal loss's; %s weights only background with it, and its paper has %s: set loss.alpha", l.Alpha, l.Kind, strings.TrimPrefix(fmt.Sprint(own.Default), "0"))
		}
		return
	}
	if !kind.Focusing {
		return
	}
	pair := PairedAlpha(l.Gamma)
	if l.Alpha < 0 || math.Abs(l.Alpha-pair) <= farAlpha {
		return
	}
	effect := "objects count too much beside a background that the focusing has already silenced: more false detections"
	if l.Alpha < pair {
		effect = "the background outweighs the objects: scores stay low, and few objects are found"
	}
	w.add("loss.alpha %g with loss.gamma %g: %s; the paper's pair of this gamma is %g", l.Alpha, l.Gamma, effect, pair)
}

// beta compares loss.beta with what the source of the box loss has.
func (w *warnings) beta(l Loss) {
	kind, err := loss.FindBox(l.Box)
	own, reads := kind.Param("beta")
	if d := Default().Loss.Beta; err == nil && reads && own.Default != d && l.Beta == d {
		w.add("loss.beta %g is smooth-L1's; %s has %g in its paper, and with %[1]g hardly any difference is below it: set loss.beta", d, l.Box, own.Default)
	}
}

// balance checks the settings that balance classes.
func (w *warnings) balance(c Config) {
	if c.Loss.ClassWeights != "" && c.Data.Sampler != Default().Data.Sampler {
		w.add("loss.class_weights %.60s and data.sampler %s correct the same imbalance, together twice: rare classes get too many false detections; take one of them",
			c.Loss.ClassWeights, c.Data.Sampler)
	}
	kind, _ := loss.Find(c.Loss.Kind)
	if _, reads := kind.Param("smoothing"); reads && !kind.Background && c.Loss.Smoothing/2 >= c.Infer.Score && c.Loss.Smoothing > 0 {
		w.add("loss.smoothing %g makes %g the target of background, which is no less than infer.score (%g): background is detected; lower the one or raise the other",
			c.Loss.Smoothing, c.Loss.Smoothing/2, c.Infer.Score)
	}
}

// unread warns of changed settings that the kind of loss does not read.
func (w *warnings) unread(l Loss) {
	kind, err := loss.Find(l.Kind)
	if err != nil {
		return
	}
	d := Default().Loss
	if _, reads := kind.Param("gamma"); !reads && l.Gamma != d.Gamma {
		w.add("loss.kind %s does not read loss.gamma (%g): nothing is focused; take loss.kind focal", l.Kind, l.Gamma)
	}
	if _, reads := kind.Param("alpha"); !reads && l.Alpha != d.Alpha {
		w.add("loss.kind %s does not read loss.alpha (%g): nothing is balanced; alpha-balanced cross entropy is loss.kind focal with loss.gamma 0", l.Kind, l.Alpha)
	}
}
