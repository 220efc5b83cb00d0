package weights

import (
	"fmt"
	"strings"
)

// prefixes are what programs put before the names of all tensors: DataParallel and DistributedDataParallel, torch.compile, Lightning and other
// programs that hold a network as a member, moving averages.
var prefixes = []string{"module.", "_orig_mod.", "_forward_module.", "model.", "ema_model.", "ema.", "averaged_model.", "net.", "network.", "detector."}

// wrapping is what stands around the names of tensors.
type wrapping struct {
	prefix string   // of all names, "" for none
	names  []string // of the tensors that have it
	beside []string // single numbers without it: a moving average's count of updates
}

// unwrap finds the prefixes, in any order, that all tensors have but single numbers whose names have no dot.
func unwrap(names []string, shape func(name string) []int) wrapping {
	var w wrapping
	for _, n := range names {
		if size, err := elements(shape(n)); err == nil && size == 1 && !strings.Contains(n, ".") {
			w.beside = append(w.beside, n)
		} else {
			w.names = append(w.names, n)
		}
	}
	for {
		next := ""
		for _, p := range prefixes {
			if len(w.names) > 0 && strings.HasPrefix(w.names[0], w.prefix+p) {
				next = p
			}
		}
		if next == "" {
			return w
		}
		for _, n := range w.names {
			if !strings.HasPrefix(n, w.prefix+next) || len(n) == len(w.prefix+next) {
				return w
			}
		}
		w.prefix += next
	}
}

// notes are sentences on what was taken off.
func (w wrapping) notes() []string {
	out := []string{fmt.Sprintf("%q was taken off every name", w.prefix)}
	if len(w.beside) > 0 {
		out = append(out, fmt.Sprintf("%s was left out: a number that is no part of the network", strings.Join(w.beside[:min(3, len(w.beside))], ", ")))
	}
	return out
}

// strip takes the wrappers' prefixes off the names.
func (f *File) strip() {
	w := unwrap(f.Names(), func(name string) []int { return f.entries[f.byName[name]].shape })
	if w.prefix == "" || f.summed {
		return
	}
	kept := f.entries[:0]
	f.byName = map[string]int{}
	for _, e := range f.entries {
		name, ok := strings.CutPrefix(e.name, w.prefix)
		if !ok {
			continue
		}
		e.name = name
		f.byName[name] = len(kept)
		kept = append(kept, e)
	}
	f.entries, f.notes = kept, w.notes()
}

// Notes are sentences on what was left out of the names.
func (f *File) Notes() []string { return f.notes }
