package saml

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// files keeps what was read from files, and reads them again when one of them has changed.
// What cannot be read then leaves what was read before: files are replaced one by one.
type files[T any] struct {
	paths []string
	read  func() (T, error)
	log   *slog.Logger
	mvpd  string

	mu    sync.Mutex
	value T
	known bool   // value was read once
	stamp string // of the files when they were read last
	err   error  // of the last reading
}

// get returns what the files say.
func (f *files[T]) get() (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stamp := stampOf(f.paths)
	if f.stamp == stamp {
		return f.outcome()
	}
	f.stamp = stamp
	value, err := f.read()
	f.err = err
	if err == nil {
		f.value, f.known = value, true
	} else if f.known {
		f.log.Warn("files of a TV provider have changed and cannot be used; what they said before counts", "mvpd", f.mvpd, "error", err)
	}
	return f.outcome()
}

func (f *files[T]) outcome() (T, error) {
	if f.known {
		return f.value, nil
	}
	return f.value, f.err
}

// stampOf is another one whenever a file was written or replaced.
func stampOf(paths []string) string {
	var b strings.Builder
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			b.WriteString("none;")
			continue
		}
		fmt.Fprintf(&b, "%d %d;", info.ModTime().UnixNano(), info.Size())
	}
	return b.String()
}
