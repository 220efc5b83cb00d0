//go:build gpu && linux && amd64

package cuda

import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"gorgonia.org/cu"

	"retinago/engine/cuda/driver"
)

// library is one of NVIDIA's, opened once while the program runs. names ends with NULL; functions is in its order.
type library struct {
	title            string
	files            func() []string
	names, functions unsafe.Pointer
	before           func() // what the machine's needs first, nil for nothing

	mu     sync.Mutex
	opened bool
	err    error
}

// errReplaced is of a library that tests took away.
var errReplaced = errors.New("taken away")

// open opens the machine's, or returns what the first call found.
func (l *library) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened {
		return l.err
	}
	l.opened = true
	if l.before != nil {
		l.before()
	}
	d, err := driver.Load(driver.Places(l.files()...)...)
	if err != nil {
		l.err = fmt.Errorf("cuda: %s is not on this machine: %w", l.title, err)
		return l.err
	}
	l.err = l.use(d)
	return l.err
}

// replace takes another library from now on; nil is none.
func (l *library) replace(d *driver.Library) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened = true
	if d == nil {
		l.err = fmt.Errorf("cuda: %s is %w", l.title, errReplaced)
		return nil
	}
	l.err = l.use(d)
	return l.err
}

// ofCUDA are the names of a library that comes with CUDA, of the driver's version and older ones.
func ofCUDA(name string) (all []string) {
	for v := cu.Version() / 1000; v >= 11; v-- {
		all = append(all, fmt.Sprintf("%s.%d", name, v))
	}
	return all
}

func (l *library) use(d *driver.Library) error {
	const most = 64
	functions, names := unsafe.Slice((*unsafe.Pointer)(l.functions), most), unsafe.Slice((**C.char)(l.names), most)
	for i := 0; names[i] != nil; i++ {
		name := C.GoString(names[i])
		f := d.Symbol(name)
		if f == nil {
			return fmt.Errorf("cuda: this %s has no function %s", l.title, name)
		}
		functions[i] = f
	}
	return nil
}
