//go:build campaign

package file

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

// KillVariable names the environment variable that holds before which change to the disk the program kills itself, counted from 1.
// CountVariable names a file that gets a byte for each change.
const (
	KillVariable  = "RETINAGO_KILL_AT_WRITE"
	CountVariable = "RETINAGO_COUNT_WRITES"
)

var (
	killAt, _  = strconv.ParseInt(os.Getenv(KillVariable), 10, 64)
	changes    atomic.Int64
	counted, _ = os.OpenFile(os.Getenv(CountVariable), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) // nil where it is not named
)

// kill ends the program as kill -9 does when the n-th change to the disk is about to happen.
func kill() {
	if counted != nil {
		counted.Write([]byte{'.'})
	}
	if changes.Add(1) == killAt {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
