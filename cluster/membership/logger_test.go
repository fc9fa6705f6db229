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

// Others that still know a node which had this node's address ping it many times a second.
func TestPingsForAnotherNodeAreForDebugging(t *testing.T) {
	var said bytes.Buffer
	l := newLogLines(slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for _, line := range []string{"[WARN] memberlist: Got ping for unexpected node 'n2' from=127.0.0.1:1\n", "[WARN] memberlist: Refuting a suspect message\n"} {
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got := said.String(); !strings.Contains(got, `level=DEBUG msg="Got ping`) || !strings.Contains(got, `level=INFO msg="Refuting`) {
		t.Errorf("logged:\n%s", got)
	}
}
