//go:build gpu && linux && amd64

package driver

// #cgo CPPFLAGS: -I${SRCDIR}/include
// #cgo LDFLAGS: -ldl
// #include "load.h"
import "C"

import (
	"errors"
	"unsafe"
)

// Library is a shared library, open for the rest of the program.
type Library struct {
	find   C.retinago_lookup
	handle unsafe.Pointer
}

// Load opens the first of files that is there.
func Load(files ...string) (*Library, error) {
	var errs []error
	for _, f := range files {
		var why [512]C.char
		name := C.CString(f)
		handle := C.retinago_library(name, &why[0], C.int(len(why)))
		C.free(unsafe.Pointer(name))
		if handle != nil {
			return &Library{find: C.retinago_lookup(C.retinago_symbol), handle: handle}, nil
		}
		errs = append(errs, errors.New(C.GoString(&why[0])))
	}
	return nil, errors.Join(errs...)
}

// Static is a library whose functions are in the program: find is a C function void *(void *unused, const char *name).
func Static(find unsafe.Pointer) *Library { return &Library{find: C.retinago_lookup(find)} }

// Symbol is the address of a function, nil where the library has none of that name.
func (l *Library) Symbol(name string) unsafe.Pointer {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	return C.retinago_find(l.find, l.handle, s)
}
