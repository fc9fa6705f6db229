package membership

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// What memberlist still says after its end is not for a log that may be gone.
func TestNothingIsLoggedAfterClose(t *testing.T) {
	var said bytes.Buffer
	l := newLogLines(slog.New(slog.NewTextHandler(&said, nil)))
	say := func() {
		line := []byte("[ERR] memberlist: no answer\n")
		if n, err := l.Write(line); n != len(line) || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
	}
	say()
	l.close()
	say()
	if n := strings.Count(said.String(), `level=WARN msg="no answer" package=memberlist`); n != 1 {
		t.Errorf("%d lines, want 1:\n%s", n, said.String())
	}
}
