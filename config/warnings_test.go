package config

import (
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	for name, k := range map[string]struct {
		sets []string
		want []string // a part of each warning, in order
	}{
		"the paper's":                       {nil, nil},
		"no balance":                        {[]string{"loss.alpha=-1"}, nil},
		"the paper's cross entropy":         {[]string{"loss.gamma=0", "loss.alpha=.75"}, nil},
		"plain, with prior":                 {[]string{"loss.kind=bce"}, nil},
		"mining, with prior":                {[]string{"loss.kind=ohem"}, nil},
		"softmax, with prior":               {[]string{"loss.kind=softmax", "model.background=true"}, nil},
		"alpha star":                        {[]string{"loss.kind=focalstar"}, nil},
		"without prior":                     {[]string{"loss.kind=bce", "model.prior=.5"}, []string{"diverge"}},
		"without prior, slowly":             {[]string{"loss.kind=bce", "model.prior=.5", "train.lr=.0001"}, []string{"learn nothing but that all is background"}},
		"without prior, clipped":            {[]string{"loss.kind=bce", "model.prior=.5", "train.clip_norm=10"}, []string{"set model.prior to .01"}},
		"focal without prior":               {[]string{"model.prior=.5", "train.optimizer=adamw"}, []string{"loss of 0.17 (1e-06 at .01)"}},
		"softmax without prior":             {[]string{"loss.kind=softmax", "model.background=true", "model.prior=.5"}, []string{"all classes together"}},
		"mining without prior":              {[]string{"loss.kind=ohem", "model.prior=.5"}, []string{"among equals"}},
		"cross entropy with FL's alpha":     {[]string{"loss.gamma=0"}, []string{"the background outweighs the objects"}},
		"focal with CE's alpha":             {[]string{"loss.alpha=.75"}, []string{"more false detections"}},
		"another normaliser":                {[]string{"loss.normalizer=anchors"}, []string{"take positives"}},
		"alpha without a reader":            {[]string{"loss.kind=bce", "loss.alpha=.75"}, []string{"loss.kind focal with loss.gamma 0"}},
		"gamma without a reader":            {[]string{"loss.kind=bce", "loss.gamma=1"}, []string{"nothing is focused"}},
		"varifocal with FL's alpha":         {[]string{"loss.kind=varifocal"}, []string{"its paper has .75"}},
		"two at once":                       {[]string{"loss.kind=bce", "model.prior=.5", "loss.normalizer=anchors"}, []string{"model.prior", "anchors"}},
		"smooth-L1's beta":                  {[]string{"loss.box=balanced_l1"}, []string{"has 1 in its paper"}},
		"balanced L1 as published":          {[]string{"loss.box=balanced_l1", "loss.beta=1"}, nil},
		"weights and a sampler":             {[]string{"loss.class_weights=inverse_frequency", "data.sampler=class_balanced"}, []string{"together twice"}},
		"a sampler":                         {[]string{"data.sampler=class_balanced"}, nil},
		"smoothing above the least score":   {[]string{"loss.smoothing=.1"}, []string{"makes 0.05 the target of background"}},
		"little smoothing":                  {[]string{"loss.smoothing=.02"}, nil},
		"smoothed softmax":                  {[]string{"loss.kind=softmax", "model.background=true", "loss.smoothing=.1"}, nil},
		"quality focal, which has no alpha": {[]string{"loss.kind=quality", "loss.alpha=.5"}, []string{"does not read loss.alpha"}},
	} {
		c, err := Load("", k.sets)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := c.Warnings()
		if len(got) != len(k.want) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, w := range k.want {
			if !strings.Contains(got[i], w) {
				t.Errorf("%s: %q lacks %q", name, got[i], w)
			}
		}
	}
}
