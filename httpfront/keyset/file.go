package keyset

import (
	"fmt"
	"io"
	"os"
)

// maxFile bounds a file of keys in bytes.
const maxFile = 256 << 10

// ReadFile reads a file of keys of reasonable size.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxFile)
	}
	return data, nil
}
