package cluster

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// piece is how many numbers Sum32 adds up at once. It bounds the memory for what other processes send.
const piece = 1 << 22

// Sum32 replaces x by the sums over all processes, whose x have the same length. A sum is taken in float64 in the order of the processes
// and rounded once, so all processes have the same bits, and every run has.
//
// Process p adds up part p of x and sends the sums to the others: each process sends and receives about 2 len(x) numbers, whatever the
// number of processes is.
func (w *World) Sum32(x []float32) error {
	if w.Size() == 1 {
		return nil
	}
	for len(x) > 0 {
		n := min(len(x), piece)
		if err := w.sumPiece(x[:n]); err != nil {
			return err
		}
		x = x[n:]
	}
	return nil
}

func (w *World) sumPiece(x []float32) error {
	n, rank := w.Size(), w.Rank()
	part := func(p int) []float32 { return x[len(x)*p/n : len(x)*(p+1)/n] }
	own := part(rank)
	if size := 4 * n * len(own); cap(w.received) < size {
		w.received = make([]byte, size)
	}
	send, recv, terms := make([][]byte, n), make([][]byte, n), make([][]float32, n)
	for p := range n {
		send[p] = bytesOf(part(p))
		recv[p] = w.received[4*p*len(own) : 4*(p+1)*len(own)]
		terms[p] = floatsOf(recv[p])
	}
	if err := w.exchange(send, recv); err != nil {
		return err
	}
	terms[rank] = own
	for i := range own {
		sum := 0.0
		for _, t := range terms {
			sum += float64(t[i])
		}
		own[i] = float32(sum)
	}
	for p := range n {
		send[p], recv[p] = bytesOf(own), bytesOf(part(p))
	}
	return w.exchange(send, recv)
}

// Sum64 replaces x by the sums over all processes, whose x have the same length, taken in the order of the processes. It is for few
// numbers: every process receives those of all others.
func (w *World) Sum64(x []float64) error {
	if w.Size() == 1 {
		return nil
	}
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	all, err := w.Gather(b)
	if err != nil {
		return err
	}
	for i := range x {
		x[i] = 0
		for _, b := range all {
			x[i] += math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	return nil
}

// bytesOf returns the memory of x.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// floatsOf returns b, whose start is aligned, as numbers.
func floatsOf(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}
