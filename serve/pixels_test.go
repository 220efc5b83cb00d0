package serve

// idle tells whether nothing is held.
func (p pixels) idle() bool {
	for _, l := range []lane{p.small, p.large} {
		if !l.bytes.TryAcquire(l.most) {
			return false
		}
		l.bytes.Release(l.most)
		if !l.cores.TryAcquire(1) {
			return false
		}
		l.cores.Release(1)
	}
	return true
}
