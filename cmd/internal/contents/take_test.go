package contents

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/answer"
	"ssod/actors/device"
	"ssod/actors/linkdirectory"
	"ssod/actors/logout"
	"ssod/actors/once"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/actors/trial"
	"ssod/actors/upstream"
	"ssod/cluster/meta"
	"ssod/httpfront/token/keys"
	"ssod/persistence/backup"
)

// thing is an entity, with a record if it has a part.
type thing struct {
	kind, identity string
	state          []byte
	part           string
	value          []byte
}

// holding is a backup of one shard and the meta shard that has a thing.
func holding(t *testing.T, x thing) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := backup.NewWriter(&b, &backup.Header{Shards: 1})
	for _, id := range []uint32{1, 0} {
		var shard *backup.Shard
		if err == nil {
			shard, err = backup.NewShard(w, &backup.Begin{Shard: id})
		}
		if err == nil && (x.kind == meta.Kind) == (id == 0) {
			err = shard.Entity(&backup.Entity{Kind: x.kind, Identity: []byte(x.identity), Rev: 1, Schema: 1, State: x.state})
			if err == nil && x.part != "" {
				err = shard.Record(&backup.Record{Part: []byte(x.part), Value: x.value})
			}
		}
		if err == nil {
			err = shard.End()
		}
	}
	if err == nil {
		err = w.End(time.UnixMilli(1))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every record is decoded by who knows it; what does not decode, or what nobody knows,
// is found.
func TestVerify(t *testing.T) {
	bad := []byte{0xff}
	id := actors.Identity{"realm", "sso", "viewer"}.Encode()
	members, err := proto.Marshal(&profile.State{Members: []*profile.Member{{Device: []byte("a")}, {Device: []byte("b")}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		thing
		good bool
	}{
		"a profile":                     {thing{kind: profile.KindName, identity: id, state: members}, true},
		"a device":                      {thing{kind: device.KindName, identity: id}, true},
		"a session":                     {thing{kind: session.KindName, identity: id}, true},
		"a logout":                      {thing{kind: logout.KindName, identity: id}, true},
		"a trial":                       {thing{kind: trial.KindName, identity: id}, true},
		"what a trial is found by":      {thing{kind: trial.KeyKind, identity: id}, true},
		"the trials of an address":      {thing{kind: trial.AddressKind, identity: id}, true},
		"the resets of trials":          {thing{kind: trial.EpochKind, identity: id}, true},
		"a damaged trial":               {thing{kind: trial.KindName, identity: id, state: bad}, false},
		"an answer":                     {thing{kind: answer.KindName, identity: id}, true},
		"an id that counts once":        {thing{kind: once.KindName, identity: id}, true},
		"a subject":                     {thing{kind: upstream.KindName, identity: id}, true},
		"a damaged answer":              {thing{kind: answer.KindName, identity: id, state: bad}, false},
		"a damaged id":                  {thing{kind: once.KindName, identity: id, state: bad}, false},
		"a damaged subject":             {thing{kind: upstream.KindName, identity: id, state: bad}, false},
		"a directory":                   {thing{kind: linkdirectory.KindName, identity: id}, true},
		"a statement":                   {thing{kind: meta.Kind, identity: "statements", part: "s"}, true},
		"a table of a later version":    {thing{kind: meta.Kind, identity: "something", part: "s", value: bad}, true},
		"a format level":                {thing{kind: meta.Kind, identity: "settings", part: "level", value: []byte("1")}, true},
		"a later format level":          {thing{kind: meta.Kind, identity: "settings", part: "level", value: []byte("99")}, false},
		"a damaged profile":             {thing{kind: profile.KindName, identity: id, state: bad}, false},
		"a damaged device":              {thing{kind: device.KindName, identity: id, state: bad}, false},
		"a damaged session":             {thing{kind: session.KindName, identity: id, state: bad}, false},
		"a damaged logout":              {thing{kind: logout.KindName, identity: id, state: bad}, false},
		"a damaged directory":           {thing{kind: linkdirectory.KindName, identity: id, state: bad}, false},
		"a damaged code":                {thing{kind: linkdirectory.KindName, identity: id, part: "c0123456789abcdef", value: bad}, false},
		"a damaged statement":           {thing{kind: meta.Kind, identity: "statements", part: "s", value: bad}, false},
		"a damaged revocation":          {thing{kind: meta.Kind, identity: "revoked-clients", part: "c", value: bad}, false},
		"a damaged key":                 {thing{kind: meta.Kind, identity: keys.Table, part: "k", value: bad}, false},
		"a name that is none":           {thing{kind: profile.KindName, identity: "\xff"}, false},
		"a kind of a later version":     {thing{kind: "novelty", identity: id}, false},
		"a record where there are none": {thing{kind: profile.KindName, identity: id, part: "p"}, false},
	} {
		file := holding(t, tt.thing)
		s, err := Verify(bytes.NewReader(file))
		if (err == nil) != tt.good {
			t.Errorf("%s: got %v", name, err)
		}
		if tt.kind == "novelty" && !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: got %v", name, err)
		}
		if tt.good && s.Entities[tt.kind] != 1 {
			t.Errorf("%s: counted %v", name, s.Entities)
		}
		if name == "a profile" && s.Members != 2 {
			t.Errorf("%d members, want 2", s.Members)
		}
		// Whoever makes a backup need not know what is in it.
		if s, err := Read(bytes.NewReader(file)); err != nil || s.Entities[tt.kind] != 1 {
			t.Errorf("%s: read: %v, %v", name, s, err)
		}
	}
}

// A rule of degradation that was set at run time was for an incident of the old cluster.
func TestRulesOfDegradationStayBehind(t *testing.T) {
	tables := &tablesTaken{}
	file := holding(t, thing{kind: meta.Kind, identity: "degradation", part: "r tv cable", value: []byte("a rule")})
	s, err := Take(bytes.NewReader(file), &actors.Restore{Erased: func(actors.Address) bool { return false }}, tables)
	if err != nil || s.Tables["degradation"] != 1 || len(tables.names) > 0 {
		t.Errorf("a new cluster takes over %v of %v: %v", tables.names, s, err)
	}
}

// tablesTaken notes of which tables there are records.
type tablesTaken struct {
	nobody
	names []string
}

func (t *tablesTaken) Table(table, _ string, _ []byte) error {
	t.names = append(t.names, table)
	return nil
}
