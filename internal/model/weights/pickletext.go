package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"strings"
)

func (m *machine) stepNumber(op byte) (bool, error) {
	var v any
	var err error
	switch op {
	case 'K', 'M', 'J':
		width := 1
		if op == 'M' {
			width = 2
		} else if op == 'J' {
			width = 4
		}
		var u uint64
		u, err = m.number(width)
		v = int64(u)
		if op == 'J' {
			v = int64(int32(u))
		}
	case 'I', 'L':
		var s string
		if s, err = m.line(); err != nil {
			return true, err
		}
		switch s {
		case "00", "01":
			v = s == "01"
		default:
			v, err = strconv.ParseInt(strings.TrimSuffix(s, "L"), 10, 64)
		}
	case 0x8a, 0x8b:
		var b []byte
		var far *blob
		if b, far, err = m.counted(map[byte]int{0x8a: 1, 0x8b: 4}[op]); far != nil {
			err = errors.New("a number that is too long")
		}
		v = long(b)
	case 'F':
		var s string
		if s, err = m.line(); err == nil {
			v, err = strconv.ParseFloat(s, 64)
		}
	case 'G':
		var b []byte
		if b, err = m.take(8); err == nil {
			v = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	return true, m.push(v)
}

// long is a little-endian two's complement number; what does not fit 64 bits stays bytes.
func long(b []byte) any {
	if len(b) > 8 {
		return bytes.Clone(b)
	}
	var w [8]byte
	copy(w[:], b)
	if len(b) > 0 && b[len(b)-1] >= 0x80 {
		for i := len(b); i < 8; i++ {
			w[i] = 0xff
		}
	}
	return int64(binary.LittleEndian.Uint64(w[:]))
}

func (m *machine) stepText(op byte) (bool, error) {
	width, text := 0, true
	switch op {
	case 'S', 'V':
		s, err := m.line()
		if err != nil {
			return true, err
		}
		if op == 'S' {
			s = strings.Trim(s, `'"`)
		}
		return true, m.push(s)
	case 'U', 0x8c:
		width = 1
	case 'T', 'X':
		width = 4
	case 0x8d:
		width = 8
	case 'C':
		width, text = 1, false
	case 'B':
		width, text = 4, false
	case 0x8e, 0x96:
		width, text = 8, false
	default:
		return false, nil
	}
	b, far, err := m.counted(width)
	switch {
	case err != nil:
		return true, err
	case far != nil:
		return true, errors.Join(m.spend(objectBytes), m.push(far))
	}
	if err := m.spend(len(b)); err != nil {
		return true, err
	}
	if text {
		return true, m.push(string(b))
	}
	return true, m.push(bytes.Clone(b))
}
