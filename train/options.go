package train

import (
	"io"

	"retinago/internal/cluster"
)

// Options configures a run: its folder, its device and its hooks. The zero value trains on the CPU in the current folder, without output.
type Options struct {
	Out            string    // folder of the run, made where it is absent; empty is the current folder
	Resume         bool      // continue the run that is in Out
	Changed        bool      // with Resume: allow other losses, images or annotations than before; the log names the differences
	Extend         bool      // with Resume: allow another length than before, train.epochs, train.steps or train.minutes
	Change         []string  // with Resume: keys of the configuration, or groups such as loss, that may differ; data.train and data.val allow other annotations
	Locked         bool      // the caller has locked Out against other processes
	Log            io.Writer // receives progress as text; nil discards it
	Hooks          []Hook    // called before the run's own
	IgnoreFindings bool      // also where images or labels would spoil the run; Log names what was found
	Examined       bool      // the caller has printed what was found in the datasets: Log does not name it again
	SkipHeaders    bool      // without reading the images' headers, which compares their sizes with the dataset's
	Device         string    // cpu or cuda:N; empty is cpu
	Precision      string    // of a GPU: bf16, fp16, tf32 or float32; empty is the device's default

	// World is the processes that train together, each with a part of every batch; nil is this process alone. Process 0 writes the files and
	// the log; others write to Log what concerns them alone.
	World *cluster.World
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
