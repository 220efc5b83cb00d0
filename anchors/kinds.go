package anchors

import "retinago/internal/kinds"

// Params are the settings that the kinds of assigners read.
type Params struct {
	TopK                   int // of ATSS
	PerCell                int // anchors at each cell, of ATSS
	Foreground, Background float32
	LowQuality             bool
	CrowdIoF               float32
}

// Kind is an assigner with its name.
type Kind struct {
	kinds.Kind
	New func(Params) Assigner
}

// Kinds lists the assigners.
var Kinds = []Kind{matcherKind, atssKind}

// crowdParam is the setting that all assigners read.
var crowdParam = kinds.Param{Key: "crowd_iof", Default: .5, Max: 1e9, Above: true, Want: "a finite number above 0, up to 1e+09",
	Text: "share of an anchor inside a crowd region from which it is ignored"}

// Find returns the assigner with a name.
func Find(name string) (Kind, error) { return kinds.Find(Kinds, "matcher", name) }
