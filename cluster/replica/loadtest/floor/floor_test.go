package floor

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a file that may refuse to sync.
type memory struct {
	mu    sync.Mutex
	data  []byte
	syncs int
	bad   atomic.Bool
}

var errDisk = errors.New("bad disk")

func (m *memory) WriteAt(b []byte, at int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if end := int(at) + len(b); end > len(m.data) {
		m.data = append(m.data, make([]byte, end-len(m.data))...)
	}
	return copy(m.data[at:], b), nil
}

func (m *memory) SyncData() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.syncs++
	if m.bad.Load() {
		return errDisk
	}
	return nil
}

func (m *memory) Close() error { return nil }

func (m *memory) has(payload []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.syncs > 0 && bytes.Contains(m.data, payload)
}

// trio is three nodes, each connected to the others.
func trio(t *testing.T) (nodes [3]*Node, files [3]*memory) {
	t.Helper()
	for i := range nodes {
		files[i] = &memory{}
		n, err := Open(Config{File: files[i]})
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = n
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	for i, n := range nodes {
		if err := n.Connect(Peer{Addr: nodes[(i+1)%3].Addr()}, Peer{Addr: nodes[(i+2)%3].Addr()}); err != nil {
			t.Fatal(err)
		}
	}
	return nodes, files
}

func TestACommitIsOnTwoDisks(t *testing.T) {
	nodes, files := trio(t)
	var callers sync.WaitGroup
	for i := range 50 {
		callers.Go(func() {
			payload := []byte{'<', byte(i), byte(i >> 8), 'x', byte(i), '>'}
			if err := nodes[i%3].Commit(payload); err != nil {
				t.Error(err)
				return
			}
			have := 0
			for _, f := range files {
				if f.has(payload) {
					have++
				}
			}
			if have < needed {
				t.Errorf("payload %d is on %d disks, want %d", i, have, needed)
			}
		})
	}
	callers.Wait()
}

func TestACommitFailsWithItsDiskAndAfterTheEnd(t *testing.T) {
	nodes, files := trio(t)
	for _, f := range files {
		f.bad.Store(true)
	}
	if err := nodes[0].Commit([]byte("a")); err == nil {
		t.Error("a commit on three bad disks: got no error")
	}
	if err := nodes[1].Close(); err != nil {
		t.Error(err)
	}
	if err := nodes[1].Commit([]byte("b")); err == nil {
		t.Error("a commit to a closed node: got no error")
	}
}

func TestADamagedBatchIsNoticed(t *testing.T) {
	data := make([]byte, header, 64)
	data = append(data, "payload"...)
	seal(data, 1)
	if _, err := read(bytes.NewReader(data)); !errors.Is(err, errChecksum) {
		t.Errorf("got %v, want %v", err, errChecksum)
	}
	seal(data, 0)
	data[3] = 0xff
	if _, err := read(bytes.NewReader(data)); err == nil {
		t.Error("a length of gigabytes: got no error")
	}
	if _, err := read(bytes.NewReader(data[:5])); err == nil {
		t.Error("half a header: got no error")
	}
}
