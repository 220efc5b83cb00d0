package serve

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// panics turns panics into errors: each fails its request or batch, and is logged. The stack is logged for the first
// panic of each place in the program.
type panics struct {
	log   *slog.Logger
	count prometheus.Counter
	seen  sync.Map // by the place, as file:line
}

// panicked is the error of a request in which the program panicked. It is in the log already.
type panicked struct{ value string }

func (p panicked) Error() string { return "panic: " + p.value }

// caught is called by the deferred function that has recovered v.
func (p *panics) caught(v any, about ...any) error {
	p.count.Inc()
	err := panicked{fmt.Sprint(v)}
	at := origin()
	about = append(about, "panic", err.value, "at", at)
	if _, known := p.seen.LoadOrStore(at, true); !known {
		about = append(about, "stack", string(debug.Stack()))
	}
	p.log.Error("serve: the program panicked", about...)
	return err
}

// origin returns the place where the panic that is being recovered began.
func origin() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for began := false; ; {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			began = true
		case began && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}
