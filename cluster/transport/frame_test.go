package transport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster/proof"
	"ssod/persistence"
	"ssod/persistence/level"
)

// FuzzFrames: whatever comes, frames are read within the limit or not at all,
// and what is read is what was written.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x05\x03raft\x00\x00\x00\x01\x04"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x09\x03half"))
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 64
		r := newFrameReader(bytes.NewReader(in), 16, limit)
		var out bytes.Buffer
		w := newFrameWriter(&out, 16)
		for {
			k, payload, err := r.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrFrame) {
					t.Fatalf("error: %v", err)
				}
				break
			}
			if len(payload) >= limit {
				t.Fatalf("a frame of %d bytes, the limit is %d", len(payload), limit)
			}
			if err := w.send(k, payload); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(in, out.Bytes()) {
			t.Errorf("read %q from %q", out.Bytes(), in)
		}
	})
}

func FuzzGreeting(f *testing.F) {
	g := greeting{purpose: forFrames, to: 1, from: Peer{2, "n2", "127.0.0.1:1"}, boots: persistence.Boots{Number: 3, Incarnations: []uint64{7, 8}}, durable: 9, cluster: "c", levels: level.Range{Oldest: 1, Newest: 3}, level: 2}
	f.Add(g.encode())
	f.Add([]byte{byte(kindGreeting)})
	f.Add(g.encode()[:20])
	f.Fuzz(func(t *testing.T, in []byte) {
		g, err := decodeGreeting(in)
		if err != nil {
			if _, refused := errors.AsType[*refusal](err); !refused && !errors.Is(err, ErrProtocol) {
				t.Errorf("error: %v", err)
			}
			return
		}
		if diff := cmp.Diff(in, g.encode()); diff != "" {
			t.Errorf("encoded again: %s", diff)
		}
	})
}

func FuzzRefusal(f *testing.F) {
	f.Add(encodeRefusal(ErrCluster))
	f.Fuzz(func(t *testing.T, in []byte) {
		if err := decodeRefusal(in); err == nil || strings.ContainsAny(err.Error(), "\x00\n\x1b") {
			t.Errorf("a refusal reads as %v", err)
		}
	})
}

func TestARefusalIsTheSameErrorOnBothSides(t *testing.T) {
	for _, want := range refusals {
		if got := decodeRefusal(encodeRefusal(want)); !errors.Is(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if got := decodeRefusal(encodeRefusal(errors.New("anything"))); !errors.Is(got, ErrRefused) {
		t.Errorf("got %v, want %v", got, ErrRefused)
	}
	long := encodeRefusal(errors.New(strings.Repeat("long ", 1000)))
	if 1+len(long) > proof.MaxStatement {
		t.Errorf("a refusal of %d bytes", len(long))
	}
}

// TestAnAnnouncedLengthCostsNothing: memory follows what comes.
func TestAnAnnouncedLengthCostsNothing(t *testing.T) {
	announced := strings.NewReader("\x10\x00\x00\x00" + "only this")
	r := newFrameReader(announced, 16, 1<<30)
	if _, _, err := r.next(); err != io.ErrUnexpectedEOF {
		t.Fatalf("got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if cap(r.buf) > 4*step {
		t.Errorf("%d bytes were reserved for 9", cap(r.buf))
	}
}

func TestALongFrameIsNotRememberedForEver(t *testing.T) {
	var b bytes.Buffer
	w := newFrameWriter(&b, 16)
	for _, n := range []int{10 * step, 10} {
		if err := w.send(kindRaft, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	r := newFrameReader(&b, 16, 1<<30)
	for range 2 {
		if _, _, err := r.next(); err != nil {
			t.Fatal(err)
		}
	}
	if cap(r.buf) > 4*step {
		t.Errorf("%d bytes are kept", cap(r.buf))
	}
}

// TestFramesCostNoAllocation: under load there are thousands per second.
func TestFramesCostNoAllocation(t *testing.T) {
	frame := bytes.Repeat([]byte("x"), 10<<10)
	var b bytes.Buffer
	w := &frameWriter{w: bufio.NewWriterSize(&b, bufferSize)}
	r := newFrameReader(&b, bufferSize, 1<<20)
	got := testing.AllocsPerRun(1000, func() {
		if err := w.send(kindRaft, frame); err != nil {
			t.Fatal(err)
		}
		if _, p, err := r.next(); err != nil || len(p) != len(frame) {
			t.Fatal(len(p), err)
		}
	})
	if got > 0 {
		t.Errorf("a frame allocates %v times", got)
	}
}

// TestAQueueIsBounded in bytes, and takes at least one frame.
func TestAQueueIsBounded(t *testing.T) {
	q := newQueue(100)
	put := func(n int, open, ok bool) {
		t.Helper()
		if gotOpen, gotOK := q.put(make([]byte, n)); gotOpen != open || gotOK != ok {
			t.Errorf("put %d bytes: got %v %v, want %v %v", n, gotOpen, gotOK, open, ok)
		}
	}
	put(1, false, false)
	q.set(true)
	put(200, true, true)
	put(1, true, false)
	frames := q.take(nil)
	if len(frames) != 1 {
		t.Fatalf("%d frames wait, want 1", len(frames))
	}
	put(1, true, false) // it is not written yet
	q.written(200)
	put(60, true, true)
	put(60, true, false)
	q.set(false)
	put(1, false, false)
	if n := q.waiting(); n != 0 {
		t.Errorf("%d bytes wait in a queue that is shut", n)
	}
}

func (f *frameWriter) send(k kind, payload []byte) error {
	if err := f.put(k, payload, nil); err != nil {
		return err
	}
	return f.flush()
}
