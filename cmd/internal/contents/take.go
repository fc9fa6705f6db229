package contents

import (
	"errors"
	"fmt"
	"io"
	"time"

	"ssod/actors"
	"ssod/actors/answer"
	"ssod/actors/device"
	"ssod/actors/grant"
	"ssod/actors/linkdirectory"
	"ssod/actors/logout"
	"ssod/actors/once"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/actors/trial"
	"ssod/actors/upstream"
	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/placement"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/token/keys"
	"ssod/persistence/backup"
	"ssod/persistence/level"
)

// ErrUnknown: a newer version of the programs made the backup.
var ErrUnknown = errors.New("the backup has what this version does not know")

// Taker receives what a new cluster begins with.
type Taker interface {
	// Entity takes an entity, and Record a record of the one before.
	Entity(e cluster.Entity, h cluster.Head) error
	Record(r cluster.Record) error
	// Table takes a record of a meta table, and Key one of the table of keys.
	Table(table, id string, value []byte) error
	Key(id string, k *keys.Portable) error
}

// Summary is what a backup contains.
type Summary struct {
	Header   *backup.Header
	Entities map[string]uint64 // by kind
	Members  uint64            // of all profiles
	Level    int               // format level of the cluster
	Tables   map[string]uint64 // records by meta table
	Totals   backup.Totals
	// Confirmed is the confirmed time of the cluster, up to an hour before the backup was
	// made if its clocks were right; zero: there was none. [Read] leaves it out.
	Confirmed time.Time
}

// Keys is how many keys there are.
func (s *Summary) Keys() uint64 { return s.Tables[keys.Table] }

// Read reads a backup to its end, and checks that it is complete and undamaged. The
// records may be of a newer version.
func Read(r io.Reader) (*Summary, error) {
	in, err := backup.NewReader(r)
	if err != nil {
		return nil, err
	}
	s := summarize(in)
	kind, table := "", ""
	for {
		f, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			s.Totals = in.Seen
			return s, nil
		case err != nil:
			return nil, err
		case f.GetEntity() != nil:
			kind, table = f.GetEntity().GetKind(), string(f.GetEntity().GetIdentity())
			s.Entities[kind]++
		case f.GetRecord() != nil && kind == meta.Kind:
			s.Tables[table]++
		}
	}
}

func summarize(in *backup.Reader) *Summary {
	return &Summary{Header: in.Header(), Level: level.First, Entities: make(map[string]uint64), Tables: make(map[string]uint64)}
}

// Verify is Read with a check that every record decodes.
func Verify(r io.Reader) (*Summary, error) {
	return Take(r, &actors.Restore{Erased: func(actors.Address) bool { return false }}, nobody{})
}

// nobody is a [Taker] that ignores everything.
type nobody struct{}

func (nobody) Entity(cluster.Entity, cluster.Head) error { return nil }
func (nobody) Record(cluster.Record) error               { return nil }
func (nobody) Table(string, string, []byte) error        { return nil }
func (nobody) Key(string, *keys.Portable) error          { return nil }

// Take reads a backup to its end and passes on what a new cluster takes over, which is
// valid only if Take does not fail.
func Take(r io.Reader, with *actors.Restore, to Taker) (*Summary, error) {
	in, err := backup.NewReader(r)
	if err != nil {
		return nil, err
	}
	t := &taking{with: with, to: to, Summary: summarize(in)}
	for {
		f, err := in.Next()
		if errors.Is(err, io.EOF) {
			t.Totals = in.Seen
			return t.Summary, nil
		}
		if err == nil {
			err = t.frame(f)
		}
		if err != nil {
			return nil, fmt.Errorf("shard %d: %w", in.Shard(), err)
		}
	}
}

// taking is one reading of a backup.
type taking struct {
	*Summary
	with *actors.Restore
	to   Taker

	at    cluster.Entity // the records are of
	stays bool           // so do its records
}

func (t *taking) frame(f *backup.Frame) error {
	switch is := f.GetIs().(type) {
	case *backup.Frame_Entity:
		e := is.Entity
		t.at = cluster.Entity{Kind: e.GetKind(), Identity: string(e.GetIdentity())}
		h := cluster.Head{Rev: e.GetRev(), Schema: e.GetSchema(), State: e.GetState()}
		if err := t.entity(h); err != nil {
			return fmt.Errorf("a %s: %w", e.GetKind(), err)
		}
	case *backup.Frame_Record:
		r := cluster.Record{Part: string(is.Record.GetPart()), Value: is.Record.GetValue()}
		if err := t.record(r); err != nil {
			return fmt.Errorf("a record of a %s: %w", t.at.Kind, err)
		}
	}
	return nil
}

func (t *taking) entity(h cluster.Head) error {
	t.Entities[t.at.Kind]++
	if t.at.Kind == meta.Kind {
		return nil
	}
	identity, err := actors.DecodeIdentity(t.at.Identity)
	if err != nil {
		return err
	}
	if err := t.count(h); err != nil {
		return err
	}
	h, t.stays, err = restored(t.at.Kind, h, t.with)
	if t.stays = t.stays && !t.with.Erased(actors.Address{Kind: t.at.Kind, Identity: identity}); err != nil || !t.stays {
		return err
	}
	return t.to.Entity(t.at, h)
}

func (t *taking) count(h cluster.Head) error {
	if t.at.Kind != profile.KindName {
		return nil
	}
	members, err := profile.Devices(h)
	t.Members += uint64(len(members))
	return err
}

// restored is what stays of an entity's head.
func restored(kind string, h cluster.Head, with *actors.Restore) (_ cluster.Head, stays bool, err error) {
	switch kind {
	case profile.KindName:
		h, err = profile.Restored(h, with)
		return h, true, err
	case device.KindName:
		h, err = device.Restored(h, with)
		return h, true, err
	case session.KindName:
		return session.Restored(h, with)
	case grant.KindName:
		return grant.Restored(h, with)
	case logout.KindName:
		stays, err = logout.Restored(h, with)
		return h, stays, err
	case answer.KindName:
		stays, err = answer.Restored(h, with)
		return h, stays, err
	case once.KindName:
		h, err = once.Restored(h, with)
		return h, true, err
	case upstream.KindName:
		return upstream.Restored(h, with)
	case linkdirectory.KindName:
		h, err = linkdirectory.RestoredHead(h, with)
		return h, true, err
	}
	if trial.Has(kind) {
		return h, true, trial.Restored(kind, h)
	}
	return h, false, ErrUnknown
}

func (t *taking) record(r cluster.Record) error {
	switch t.at.Kind {
	case meta.Kind:
		return t.table(t.at.Identity, r)
	case linkdirectory.KindName:
		r, stays, err := linkdirectory.RestoredRecord(r, t.with)
		if err != nil || !stays || !t.stays {
			return err
		}
		return t.to.Record(r)
	}
	return fmt.Errorf("%w: it should have none", ErrUnknown)
}

func (t *taking) table(name string, r cluster.Record) error {
	t.Tables[name]++
	switch {
	case name == keys.Table:
		k, err := keys.ReadPortable(r.Part, r.Value)
		if err != nil {
			return err
		}
		return t.to.Key(r.Part, k)
	case name == keys.Orders:
		return t.to.Table(name, r.Part, r.Value)
	case registration.IsTable(name):
		if err := registration.CheckRecord(name, r.Part, r.Value); err != nil {
			return err
		}
		return t.to.Table(name, r.Part, r.Value)
	}
	if clock, confirmed, ok, err := placement.RestoredClock(name, r.Part, r.Value); ok || err != nil {
		if err != nil {
			return err
		}
		t.Confirmed = confirmed
		return t.to.Table(name, r.Part, clock)
	}
	if at, ok := placement.StoredLevel(name, r.Part, r.Value); ok {
		if t.Level = at; at > level.Newest {
			return fmt.Errorf("%w: the cluster was at format level %d, and this version knows %v", ErrUnknown, at, level.Known())
		}
	}
	return nil // made anew
}
