package detector

// Part returns the images from up to, not including, to of a batch, as a batch of their own with the same factors. Targets must be
// Assign's: an engine that matches anchors itself does so for a whole batch.
func (b *Batch) Part(from, to int) *Batch {
	t := b.Targets
	if t.Match != nil {
		panic("detector: a part of a batch whose anchors the engine matches")
	}
	out := &Batch{N: to - from, H: b.H, W: b.W, ClassNorm: b.ClassNorm[from:to], BoxNorm: b.BoxNorm[from:to], Targets: &Targets{Positives: t.Positives[from:to], Counted: t.Counted[from:to]}}
	if b.Images != nil {
		size := len(b.Images) / b.N
		out.Images = b.Images[from*size : to*size]
	}
	p := out.Targets
	for l, at := range t.Level[:len(t.Level)-1] {
		size := (t.Level[l+1] - at) / b.N
		p.Level = append(p.Level, len(p.Labels))
		p.Labels = append(p.Labels, t.Labels[at+from*size:at+to*size]...)
		p.Deltas = append(p.Deltas, t.Deltas[4*(at+from*size):4*(at+to*size)]...)
	}
	p.Level = append(p.Level, len(p.Labels))
	return out
}
