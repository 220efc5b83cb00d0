//go:build campaign

package campaign

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"fmt"
)

// field is an entry of a TIFF's directory; values that do not fit into it are put after the directory.
type field struct {
	tag, kind uint16
	values    []uint32
}

const (
	short = 3
	long  = 4
)

// assemble is a TIFF of one directory, with data at byte 8.
func assemble(order binary.AppendByteOrder, data []byte, fields []field) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	if len(data)%2 == 1 {
		data = append(data, 0)
	}
	at := 8 + len(data)
	b = append(order.AppendUint32(b, uint32(at)), data...)
	b = order.AppendUint16(b, uint16(len(fields)))
	var rest []byte
	for _, f := range fields {
		b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, f.tag), f.kind), uint32(len(f.values)))
		var v []byte
		for _, x := range f.values {
			if f.kind == short {
				v = order.AppendUint16(v, uint16(x))
			} else {
				v = order.AppendUint32(v, x)
			}
		}
		if len(v) > 4 {
			v, rest = order.AppendUint32(nil, uint32(at+2+12*len(fields)+4+len(rest))), append(rest, v...)
		}
		b = append(b, append(v, 0, 0, 0, 0)[:4]...)
	}
	return append(order.AppendUint32(b, 0), rest...)
}

// tiledTIFF is a gray image in tiles that share their data.
func tiledTIFF(w, h, tw, th uint32, compression uint32, data []byte) []byte {
	n := ((w + tw - 1) / tw) * ((h + th - 1) / th)
	var at, size []uint32
	for range n {
		at, size = append(at, 8), append(size, uint32(len(data)))
	}
	return assemble(binary.LittleEndian, data, []field{{256, long, []uint32{w}}, {257, long, []uint32{h}}, {258, short, []uint32{8}}, {259, short, []uint32{compression}},
		{262, short, []uint32{1}}, {277, short, []uint32{1}}, {322, long, []uint32{tw}}, {323, long, []uint32{th}}, {324, long, at}, {325, long, size}})
}

// tiffs are gray and coloured ones in strips and tiles, in both orders of bytes, with every compression that is easy to write.
func tiffs() []seed {
	const w, h = 40, 30
	var out []seed
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, n := range []int{1, 3} {
			plain := make([]byte, w*h*n)
			for i := range plain {
				plain[i] = byte(i/7 + i%5)
			}
			for compression, data := range map[uint32][]byte{1: plain, 5: lempelZiv(plain), 8: deflated(plain), 32773: packed(plain), 32946: deflated(plain)} {
				depths := []uint32{8, 8, 8}[:n]
				b := assemble(order, data, []field{{256, short, []uint32{w}}, {257, short, []uint32{h}}, {258, short, depths}, {259, short, []uint32{compression}},
					{262, short, []uint32{uint32(1 + n/3)}}, {273, long, []uint32{8}}, {277, short, []uint32{uint32(n)}}, {278, short, []uint32{h}}, {279, long, []uint32{uint32(len(data))}}})
				out = append(out, seed{fmt.Sprintf("%v %d samples, compression %d", order, n, compression), "tif", b})
			}
		}
	}
	tile := make([]byte, 16*16)
	for i := range tile {
		tile[i] = byte(i)
	}
	for compression, data := range map[uint32][]byte{1: tile, 5: lempelZiv(tile), 8: deflated(tile), 32773: packed(tile)} {
		out = append(out, seed{fmt.Sprintf("tiles, compression %d", compression), "tif", tiledTIFF(w, h, 16, 16, compression, data)})
	}
	return out
}

// lempelZiv is Go's LZW, which TIFF's readers take for a short text: the widths of their codes differ later on.
func lempelZiv(b []byte) []byte {
	var out bytes.Buffer
	w := lzw.NewWriter(&out, lzw.MSB, 8)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// packed is PackBits: runs where there are some, else bytes as they are.
func packed(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n := 1
		for n < len(b) && n < 128 && b[n] == b[0] {
			n++
		}
		if n > 1 {
			out, b = append(out, byte(1-n), b[0]), b[n:]
			continue
		}
		n = min(len(b), 16)
		out, b = append(append(out, byte(n-1)), b[:n]...), b[n:]
	}
	return out
}
