//go:build gpu && linux && amd64

package cuda

// #include "cudnn.h"
import "C"

import (
	"errors"
	"fmt"

	"retinago/engine"
)

// recording is a captured sequence of work, as a CUDA graph.
type recording struct {
	e    *Engine
	exec C.CUgraphExec
	at   int64 // e.moves when it was recorded
}

var errRecording = errors.New("cuda: a step is being recorded, nothing may be allocated, copied or waited for")

// Record captures the work that f queues on the stream.
func (e *Engine) Record(f func() error) (engine.Recording, error) {
	r := &recording{e: e, at: e.moves.Load()}
	e.WeightsChanged() // packing is a part of the work
	err := e.do(func() error { return r.capture(f) })
	if err != nil {
		e.WeightsChanged()
		return nil, err
	}
	return r, nil
}

// capture runs on one thread from beginning to end; f may use other threads.
func (r *recording) capture(f func() error) error {
	e := r.e
	if s := C.cuStreamBeginCapture(e.queue(), C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL); s != C.CUDA_SUCCESS {
		return graphError("beginning", s)
	}
	e.recording.Store(true)
	err := f()
	e.recording.Store(false)
	var g C.CUgraph
	s := C.cuStreamEndCapture(e.queue(), &g)
	if g != nil {
		defer C.cuGraphDestroy(g)
	}
	if err != nil {
		return err
	}
	if s != C.CUDA_SUCCESS {
		return graphError("recording", s)
	}
	if s := C.cuGraphInstantiateWithFlags(&r.exec, g, 0); s != C.CUDA_SUCCESS {
		r.exec = nil
		return graphError("preparing", s)
	}
	return nil
}

func graphError(what string, r C.CUresult) error {
	return fmt.Errorf("cuda: %s a graph: CUDA error %d", what, int(r))
}

// Replay queues the graph.
func (r *recording) Replay() (bool, error) {
	if r.exec == nil || r.at != r.e.moves.Load() {
		return false, nil
	}
	return true, r.e.do(func() error {
		if s := C.cuGraphLaunch(r.exec, r.e.queue()); s != C.CUDA_SUCCESS {
			return graphError("launching", s)
		}
		return nil
	})
}

// Close frees the graph when its last launch is done.
func (r *recording) Close() error {
	if r.exec == nil {
		return nil
	}
	if err := r.e.Wait(); err != nil {
		return err
	}
	return r.e.do(func() error {
		s := C.cuGraphExecDestroy(r.exec)
		r.exec = nil
		if s != C.CUDA_SUCCESS {
			return graphError("freeing", s)
		}
		return nil
	})
}
