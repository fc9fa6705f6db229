package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const passphrase = "correct horse battery"

var ended = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

// shardOf is a shard with an entity and its record.
func shardOf(t *testing.T, number uint32) []byte {
	t.Helper()
	var b bytes.Buffer
	s, err := NewShard(&b, &Begin{Shard: number, Index: 7, Term: 2})
	if err == nil {
		err = errors.Join(
			s.Entity(&Entity{Kind: "profile", Identity: fmt.Appendf(nil, "viewer-%d", number), Rev: 3, Schema: 1, State: []byte("state")}),
			s.Record(&Record{Part: []byte("part"), Value: []byte("value")}),
			s.End(),
		)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// written is a backup of those shards, of two.
func written(t *testing.T, shards ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, &Header{Cluster: "c1", Shards: 2})
	for _, shard := range shards {
		if err == nil {
			_, err = w.Write(shard)
		}
	}
	if err = errors.Join(err, w.End(ended)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func whole(t *testing.T) []byte {
	return written(t, shardOf(t, 1), shardOf(t, 2), shardOf(t, 0))
}

// readAll reads a backup to its end; nil when all is there.
func readAll(r io.Reader) (Totals, error) {
	in, err := NewReader(r)
	if err != nil {
		return Totals{}, err
	}
	for err == nil {
		_, err = in.Next()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return in.Seen, err
}

func TestABackupIsReadAsItWasWritten(t *testing.T) {
	in, err := NewReader(iotest.OneByteReader(bytes.NewReader(whole(t))))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for {
		f, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case f.GetEntity() != nil:
			said = append(said, fmt.Sprintf("%d %s %s", in.Shard(), f.GetEntity().GetIdentity(), f.GetEntity().GetState()))
		case f.GetRecord() != nil:
			said = append(said, string(f.GetRecord().GetPart()))
		}
	}
	want := "1 viewer-1 state, part, 2 viewer-2 state, part, 0 viewer-0 state, part"
	if got := strings.Join(said, ", "); got != want || in.Header().GetCluster() != "c1" {
		t.Errorf("got %s of cluster %s, want %s", got, in.Header().GetCluster(), want)
	}
	if got := in.Seen; got.Shards != 3 || got.Entities != 3 || got.Records != 3 || got.Bytes != uint64(len(whole(t))) {
		t.Errorf("totals %+v", got)
	}
	if _, err := in.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: %v", err)
	}
}

func TestWhatIsMissingOrOutOfPlaceIsFound(t *testing.T) {
	one, two, meta := shardOf(t, 1), shardOf(t, 2), shardOf(t, 0)
	other := bytes.Replace(two, []byte("viewer-2"), []byte("viewer-9"), 1)
	var failure bytes.Buffer
	w, err := NewWriter(&failure, &Header{Shards: 2})
	if err = errors.Join(err, w.Fail("node n2 is gone")); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		backup []byte
		want   error
	}{
		"no shard":                    {written(t), ErrIncomplete},
		"no meta shard":               {written(t, one, two), ErrIncomplete},
		"a shard is missing":          {written(t, one, meta), ErrDamaged},
		"a shard twice":               {written(t, one, one, two, meta), ErrDamaged},
		"the meta shard twice":        {written(t, one, two, meta, meta), ErrDamaged},
		"the meta shard first":        {written(t, meta, one, two), ErrDamaged},
		"what a shard has is changed": {written(t, one, other, meta), ErrDamaged},
		"a shard has no end":          {written(t, one, two[:len(two)-40], meta), ErrDamaged},
		"something follows":           {append(whole(t), 0), ErrDamaged},
		"nothing":                     {nil, ErrIncomplete},
		"no backup":                   {[]byte("\x03abc"), ErrDamaged},
		"a failure":                   {failure.Bytes(), ErrFailed},
	} {
		if _, err := readAll(bytes.NewReader(tt.backup)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	if _, err := readAll(bytes.NewReader(failure.Bytes())); !strings.Contains(err.Error(), "node n2 is gone") {
		t.Errorf("the reason is not said: %v", err)
	}
}

func sealed(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := seal(&b, passphrase, 1)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readSealed(file []byte, passphrase string) error {
	plain, err := Open(bytes.NewReader(file), passphrase)
	if err == nil {
		_, err = readAll(plain)
	}
	return err
}

// A file that is not exactly what was written is never taken for one that is: every
// byte changed, every length.
func TestEveryByteOfAFileCounts(t *testing.T) {
	file := sealed(t, whole(t))
	if err := readSealed(file, passphrase); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte("viewer-1")) {
		t.Error("the file is not encrypted")
	}
	if err := readSealed(file, passphrase+"?"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("another passphrase: got %v", err)
	}
	for at := range file {
		for _, bit := range []byte{1, 0x80} {
			changed := bytes.Clone(file)
			changed[at] ^= bit
			if err := readSealed(changed, passphrase); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrPassphrase) {
				t.Fatalf("byte %d of %d changed by %#x: got %v", at, len(file), bit, err)
			}
		}
		if err := readSealed(file[:at], passphrase); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrIncomplete) {
			t.Fatalf("the first %d of %d bytes: got %v", at, len(file), err)
		}
	}
	if err := readSealed(append(file, 0), passphrase); !errors.Is(err, ErrDamaged) {
		t.Errorf("one byte more: got %v", err)
	}
}

// A disk that cannot be read is not a damaged backup.
func TestAnErrorOfTheDiskIsSaid(t *testing.T) {
	file, broken := sealed(t, whole(t)), errors.New("input/output error")
	for _, from := range []int{10, len(file) / 2} {
		plain, err := Open(io.MultiReader(bytes.NewReader(file[:from]), iotest.ErrReader(broken)), passphrase)
		if err == nil {
			_, err = readAll(plain)
		}
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: got %v", from, err)
		}
	}
}

func TestAKeyOpensWhatWasSealedToIt(t *testing.T) {
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := SealTo(&b, key.String())
	if err == nil {
		_, err = w.Write(whole(t))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	plain, err := key.Open(bytes.NewReader(file))
	if err == nil {
		_, err = readAll(plain)
	}
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(bytes.NewReader(file)); err == nil {
		t.Error("another key opens it")
	}
	if err := CheckKey("age1nobody"); err == nil {
		t.Error("a text that is no key is taken for one")
	}
	if strings.Contains(fmt.Sprintf("%v %+v", key, key), "AGE-SECRET-KEY") {
		t.Error("the key prints")
	}
}

func TestShortPassphrasesAreRefused(t *testing.T) {
	if CheckPassphrase("hunter2") == nil || CheckPassphrase(passphrase) != nil {
		t.Error("a short passphrase is accepted, or a long one refused")
	}
}

func FuzzReader(f *testing.F) {
	var b bytes.Buffer
	w, _ := NewWriter(&b, &Header{Shards: 1})
	_ = w.End(ended)
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := readAll(bytes.NewReader(b)); err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrIncomplete) && !errors.Is(err, ErrVersion) {
			t.Fatal(err)
		}
	})
}
