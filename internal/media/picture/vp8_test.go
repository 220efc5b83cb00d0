//go:build opencv

package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// noisyWebP is a lossy WebP of random coefficients, which take long to decode. (RFC 6386, 9.1.)
func noisyWebP(w, h uint16) []byte {
	draw := rand.NewChaCha8([32]byte{})
	modes, tokens := make([]byte, 300<<10), make([]byte, 60<<20)
	draw.Read(modes)
	draw.Read(tokens)
	frame := bytes.Clone(lossyWebP[20:33]) // with the first bytes of the frame's own header
	size := len(frame) - 10 + len(modes)
	frame[0], frame[1], frame[2] = frame[0]&0x1f|byte(size)<<5, byte(size>>3), byte(size>>11)
	binary.LittleEndian.PutUint16(frame[6:], w)
	binary.LittleEndian.PutUint16(frame[8:], h)
	return plainWebP(slices.Concat(frame, modes, tokens))
}

// A context that ends ends libwebp too; damage has libwebp's name.
func TestVP8Ends(t *testing.T) {
	slow := noisyWebP(7000, 7000)
	why := errors.New("the request is over")
	ctx, stop := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, why)
	defer stop()
	begin := busy(t)
	_, _, _, err := DecodeBytesFor(ctx, "slow", slow, nil)
	if spent := busy(t) - begin; !errors.Is(err, why) || spent > time.Second {
		t.Errorf("%v after %v", err, spent)
	}
	if p, err := DecodeBytes("slow", slow); err == nil || !strings.Contains(err.Error(), "slow: libwebp: the data are damaged") {
		t.Errorf("%v, %v", p != nil, err)
	}
}
