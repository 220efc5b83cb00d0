package train

import (
	"io"
)

// Options are where a run lives and what takes part in it. The zero value trains on the CPU in the current folder, without output.
type Options struct {
	Out       string    // folder of the run, made where it is absent; empty is the current folder
	Resume    bool      // continue the run that is in Out
	Changed   bool      // with Resume: also where losses, images or annotations differ from before; the log names what differs
	Locked    bool      // the caller has locked Out against other processes
	Log       io.Writer // receives progress as text; nil discards it
	Hooks     []Hook    // called before the run's own
	Device    string    // cpu or cuda:N; empty is cpu
	Precision string    // of a GPU: bf16, fp16, tf32 or float32; empty is the device's default
}

// withDefaults replaces zero values.
func (o Options) withDefaults() Options {
	if o.Out == "" {
		o.Out = "."
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return o
}
