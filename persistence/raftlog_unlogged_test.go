package persistence

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// unlogged is a write of one commit of the viewer at a place.
func unlogged(at Position, base uint64, state string, truncate Position) []LogWrite {
	c := Commit{Entity: viewer, BaseRev: base, State: []byte(state)}
	return []LogWrite{{Shard: 1, Truncate: truncate, Unlogged: &Unlogged{
		Change: Change{Shard: 1, Position: at, Time: 6000 + base, Commits: []Commit{c}},
	}}}
}

// TestUnloggedCommitsOutliveACrash: with their place, and with a log that is
// empty behind it.
func TestUnloggedCommitsOutliveACrash(t *testing.T) {
	fs := vfs.NewCrashableMem()
	l := logWith(t, fs, 5)
	at := Position{6, 5}
	for i, w := range [][]LogWrite{unlogged(at, 4, "first", at), unlogged(at, 5, "second", Position{})} {
		if err := l.Append(w, true); err != nil || w[0].Unlogged.Rejected != nil {
			t.Fatalf("write %d: %v, rejected %v", i, err, w[0].Unlogged.Rejected)
		}
	}
	stale := unlogged(at, 4, "stale", Position{})
	if err := l.Append(stale, true); err != nil || !errors.Is(stale[0].Unlogged.Rejected[0], ErrRevision) {
		t.Errorf("on an old revision: %v, rejected %v", err, stale[0].Unlogged.Rejected)
	}
	got := reopened(t, fs.CrashClone(vfs.CrashCloneCfg{}))
	if want := "term 5 vote 1 truncated 6 applied 6 6005 log to 0 head second"; got != want {
		t.Errorf("after a crash:\ngot  %s\nwant %s", got, want)
	}
}

// TestReadersWaitForUnloggedCommits: what a crash may still take is not shown.
func TestReadersWaitForUnloggedCommits(t *testing.T) {
	l := logWith(t, vfs.NewMem(), 5)
	at := Position{6, 5}
	w, err := l.Begin(unlogged(at, 4, "new", at), true)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan string, 1)
	go func() {
		h, _, _ := l.s.Head(1, viewer)
		read <- string(h.State)
	}()
	k := l.s.salt.appendHeadKey(nil, 1, viewer)
	if n := l.s.revs.batch(k); n != w.sequence || l.s.durable.batch.Load() >= n {
		t.Errorf("the head is of batch %d, and %d are on disk: readers do not wait for %d", n, l.s.durable.batch.Load(), w.sequence)
	}
	select {
	case got := <-read:
		t.Errorf("read %q before it was on disk", got)
	default:
	}
	if err := w.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "new" {
		t.Errorf("read %q, want new", got)
	}
}

// TestUnloggedCommitsBelongToTheNextPlace: or to the one that is applied.
func TestUnloggedCommitsBelongToTheNextPlace(t *testing.T) {
	for _, at := range []Position{{4, 4}, {7, 5}} {
		l := openStore(t, Options{Shards: 2, Fatal: func(error) {}}).Log()
		if _, err := l.Create(1, replicaID, voters); err != nil {
			t.Fatal(err)
		}
		appendAndApply(t, l, 2, 5)
		if err := l.Append(unlogged(at, 4, "wrong", at), true); err == nil {
			t.Errorf("commits at %v after 5 are written", at)
		}
		if l.s.Err() == nil {
			t.Error("the store goes on, although memory knows what is not there")
		}
	}
}
