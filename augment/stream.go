package augment

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Address names a stream of random numbers. Equal addresses give equal numbers on every machine, whatever was drawn before.
type Address struct {
	Seed  uint64 // of the run
	Epoch int    // passes over the training set before this one
	Place int    // of the image in the order of the epoch
	Part  string // empty for the image at Place; else the policy that takes a further image, and the number of that image
}

// Rand returns the stream of a policy at an address.
func (a Address) Rand(policy string) *rand.Rand {
	var b []byte
	for _, v := range []uint64{a.Seed, uint64(a.Epoch), uint64(a.Place), uint64(len(a.Part))} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	sum := sha256.Sum256(append(append(b, a.Part...), policy...))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}
