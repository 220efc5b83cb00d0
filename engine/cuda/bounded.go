//go:build gpu && linux && amd64

package cuda

// bounded keeps what was made for the most recently used keys.
type bounded[K comparable, V any] struct {
	values map[K]*cached[V]
	uses   int64
}

type cached[V any] struct {
	value V
	used  int64 // number of the last use
}

// mostPlans bounds the choices of cuDNN and of cuBLASLt. A training graph of ResNet-50 has about 150 and an inference graph 50; a model
// keeps 4 and 12 graphs.
const mostPlans = 2048

func newBounded[K comparable, V any]() bounded[K, V] {
	return bounded[K, V]{values: map[K]*cached[V]{}}
}

// get returns the value of a key.
func (b *bounded[K, V]) get(key K) (v V, ok bool) {
	k, ok := b.values[key]
	if !ok {
		return v, false
	}
	b.uses++
	k.used = b.uses
	return k.value, true
}

// put keeps a value.
func (b *bounded[K, V]) put(key K, v V) {
	b.uses++
	b.values[key] = &cached[V]{v, b.uses}
}

// oldest removes the value that was not used for longest when there are as many as most.
func (b *bounded[K, V]) oldest(most int) (v V, ok bool) {
	if len(b.values) < most {
		return v, false
	}
	var last K
	least := b.uses + 1
	for key, k := range b.values {
		if k.used < least {
			last, least = key, k.used
		}
	}
	v = b.values[last].value
	delete(b.values, last)
	return v, true
}
