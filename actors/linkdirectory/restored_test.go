package linkdirectory

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

// What is restored of codes leads nowhere, and their numbers are not given out for one
// lifetime.
func TestRestoredCodesAreKept(t *testing.T) {
	at := time.UnixMilli(1_000_000_000)
	ttl := 15 * time.Minute
	hash := [HashSize]byte{1, 2, 3}
	live := &Entry{
		Owner: []byte("sealed"), Length: 6, TtlMs: ttl.Milliseconds(), Patterns: []uint32{1, 2, 3, 4, 5, 6}, Network: 7,
		Request: make([]byte, 16), Attempt: 2,
		ResolveUntilMs: at.Add(time.Hour).UnixMilli(), KeepUntilMs: at.Add(2 * time.Hour).UnixMilli(),
	}
	r := &actors.Restore{At: at}
	got, stays, err := RestoredRecord(cluster.Record{Part: codePart(hash), Value: encode(live)}, r)
	if err != nil || !stays {
		t.Fatalf("stays %v, %v", stays, err)
	}
	d := newDirectory(testKey, &watch{})
	l := loader{directory: d, now: at.UnixMilli()}
	if err := l.record([]byte(got.Part), got.Value); err != nil {
		t.Fatal(err)
	}
	l.finish()
	e := d.codes[hash]
	if e == nil || e.live || e.owned(at) || d.live != 0 || d.held[e.class] != 1 {
		t.Fatalf("restored as %+v, %d live", e, d.live)
	}
	d.advance(at.Add(ttl-time.Millisecond), 10)
	if d.codes[hash] == nil {
		t.Error("the number is free before one lifetime has passed")
	}
	d.advance(at.Add(ttl), 10)
	if d.codes[hash] != nil {
		t.Error("the number is kept for longer than one lifetime")
	}
}

func TestRestoredRecords(t *testing.T) {
	eight := "12345678"
	bad := []byte{0xff}
	for name, tt := range map[string]struct {
		record cluster.Record
		stays  bool
		fails  bool
	}{
		"guesses of a device":   {cluster.Record{Part: "d" + eight, Value: encode(&Window{Failures: 3})}, false, false},
		"guesses of an address": {cluster.Record{Part: "a" + eight, Value: encode(&Window{Failures: 3})}, false, false},
		"retirements":           {cluster.Record{Part: "r" + eight, Value: encode(&Retirements{})}, false, false},
		"of a later version":    {cluster.Record{Part: "z", Value: bad}, true, false},
		"a damaged code":        {cluster.Record{Part: codePart([HashSize]byte{}), Value: bad}, true, true},
		"a code of no length":   {cluster.Record{Part: codePart([HashSize]byte{}), Value: nil}, true, true},
		"a damaged window":      {cluster.Record{Part: "d" + eight, Value: bad}, false, true},
		"damaged retirements":   {cluster.Record{Part: "r" + eight, Value: bad}, false, true},
	} {
		_, stays, err := RestoredRecord(tt.record, &actors.Restore{At: time.UnixMilli(0)})
		if (err != nil) != tt.fails || err == nil && stays != tt.stays {
			t.Errorf("%s: stays %v, %v", name, stays, err)
		}
	}
}

func TestRestoredHead(t *testing.T) {
	state, err := proto.Marshal(&State{Meter: &Meter{Room: 5}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := RestoredHead(cluster.Head{Schema: schema, State: state}, &actors.Restore{})
	if err != nil || string(h.State) != string(state) {
		t.Errorf("the meter is not taken over: %v", err)
	}
	if _, err := RestoredHead(cluster.Head{Schema: schema + 1}, &actors.Restore{}); !errors.Is(err, errSchema) {
		t.Errorf("a later schema: got %v", err)
	}
	if _, err := RestoredHead(cluster.Head{Schema: schema, State: []byte{0xff}}, &actors.Restore{}); err == nil {
		t.Error("garbage is restored")
	}
}
