package stream

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/cluster/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eventually waits for what other goroutines do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.After(2 * time.Minute); !done(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not so: %s", what)
		}
	}
}

// end is a node and what it has seen.
type end struct {
	*Node
	mu    sync.Mutex
	got   []envelope
	ended []bool // by whether the link was up
	log   strings.Builder
	reply bool // commands are answered with what they say
}

func (e *end) receive(l *Link, k Kind, payload []byte) error {
	if string(payload) == "unreadable" {
		return fmt.Errorf("%w: as the test wants", ErrEnvelope)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, envelope{k, string(payload)})
	if k == Command && e.reply {
		return l.Send(Answer, payload)
	}
	return nil
}

func (e *end) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.Write(b)
}

func (e *end) says(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Contains(e.log.String(), text)
}

func (e *end) has(n int) func() bool {
	return func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.got) == n
	}
}

func (e *end) lost() []bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ended
}

// startEnd starts a node.
func startEnd(t *testing.T, papers Papers, listen string) *end {
	t.Helper()
	e := &end{reply: true}
	n, err := Open(Config{
		Listen: listen, Papers: papers, Log: slog.New(slog.NewTextHandler(e, nil)), Receive: e.receive,
		Ended: func(_ *Link, up bool) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.ended = append(e.ended, up)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Node = n
	n.Start()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// papersOf are those of node id without TLS, for whom every address is that of whom.
func papersOf(t *testing.T, id uint32, whom uint32) Papers {
	t.Helper()
	ring, err := secret.NewRing(secret.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	name := func(id uint32) string { return fmt.Sprint("n", id) }
	return Papers{
		Secrets: ring, Cluster: "c1", Self: Member{id, name(id)},
		At: func(string) (Member, bool) { return Member{whom, name(whom)}, true },
	}
}

const anywhere = "127.0.0.1:0"

func pair(t *testing.T) (a, b *end) {
	t.Helper()
	return startEnd(t, papersOf(t, 1, 2), anywhere), startEnd(t, papersOf(t, 2, 1), anywhere)
}

func link(t *testing.T, e *end, address string) *Link {
	t.Helper()
	l, err := e.Link(address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
