package picture

import (
	"io"

	"retinago/internal/file"
)

// readGiven takes what the process was given open, such as /dev/stdin, into memory: its size shows at its end.
func readGiven(path string) ([]byte, error) {
	f, err := file.Stream(path, maxMemory)
	if err != nil {
		return nil, nameless(err)
	}
	defer f.Close()
	return io.ReadAll(f)
}
