//go:build campaign

package campaign

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
)

// chunk makes a PNG chunk with its checksum.
func chunk(kind string, data []byte) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), kind...)
	b = append(b, data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// chunks are those of a PNG, with length and checksum.
func chunks(b []byte) (all []part) {
	for i := 8; i+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[i:]))
		if n > len(b)-i-12 {
			break
		}
		all = append(all, part{i, i + 12 + n})
		i += 12 + n
	}
	return all
}

// mutatePNG changes header, chunks and what is compressed in them. Checksums fit, but for one in sixteen.
func mutatePNG(draw *rand.Rand, b []byte) []byte {
	all := chunks(b)
	if len(all) == 0 {
		return b
	}
	kind := func(p part) string { return string(b[p.from+4 : p.from+8]) }
	p := all[draw.IntN(len(all))]
	switch draw.IntN(10) {
	case 0, 1: // width or height
		put32(draw, binary.BigEndian, b, all[0].from+8+4*draw.IntN(2))
	case 2: // depth, colour, compression, filter, interlacing
		at := all[0].from + 16 + draw.IntN(5)
		if at < len(b) {
			b[at] = []byte{0, 1, 2, 3, 4, 6, 8, 16, byte(draw.Uint32())}[draw.IntN(9)]
		}
	case 3: // within a chunk
		if n := p.to - p.from - 12; n > 0 {
			for range 1 + draw.IntN(4) {
				put8(draw, b, p.from+8+draw.IntN(n))
			}
		}
	case 4: // a chunk's length, with its checksum where it then is
		put32(draw, binary.BigEndian, b, p.from)
	case 5: // what pixels are packed from
		for _, p := range all {
			if kind(p) == "IDAT" {
				return append(append(b[:p.from:p.from], repacked(draw, b[p.from+8:p.to-4])...), b[p.to:]...)
			}
		}
	case 6: // a chunk that unpacks to much, or says what is not so
		extra := chunk([]string{"iCCP", "zTXt", "iTXt", "tRNS", "PLTE", "gAMA", "sBIT", "eXIf", "acTL", "cHRM"}[draw.IntN(10)], extraData(draw))
		at := all[draw.IntN(len(all))].from
		return append(append(b[:at:at], extra...), b[at:]...)
	case 7: // a chunk cut
		n := draw.IntN(p.to - p.from - 11)
		return append(append(b[:p.from:p.from], chunk(kind(p), b[p.from+8:p.from+8+n])...), b[p.to:]...)
	default:
		b = shuffle(draw, b, all)
	}
	if draw.IntN(16) > 0 {
		for _, p := range chunks(b) {
			binary.BigEndian.PutUint32(b[p.to-4:], crc32.ChecksumIEEE(b[p.from+4:p.to-4]))
		}
	}
	return b
}

// repacked unpacks pixel data as far as it goes, changes it, and packs it again.
func repacked(draw *rand.Rand, data []byte) []byte {
	z, err := zlib.NewReader(bytes.NewReader(data))
	var raw []byte
	if err == nil {
		raw, _ = io.ReadAll(io.LimitReader(z, largestMutant))
	}
	if len(raw) == 0 {
		raw = make([]byte, 100)
	}
	switch draw.IntN(4) {
	case 0:
		raw = raw[:draw.IntN(len(raw))]
	case 1:
		raw = append(raw, make([]byte, number(draw, 1000)%(32<<20))...) // packs well
	default:
		for range 1 + draw.IntN(20) {
			raw[draw.IntN(len(raw))] = byte(number(draw, 4)) // filters too
		}
	}
	return chunk("IDAT", deflated(raw))
}

// extraData is something, text with zeros, or what unpacks to 16 MB.
func extraData(draw *rand.Rand) []byte {
	switch draw.IntN(3) {
	case 0:
		return append([]byte("name\x00\x00"), deflated(make([]byte, 16<<20))...)
	case 1:
		return make([]byte, draw.IntN(1000))
	}
	b := make([]byte, draw.IntN(300))
	for i := range b {
		b[i] = byte(draw.Uint32())
	}
	return b
}
