package webhook

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"ssod/actors/event"
	"ssod/cluster"
	"ssod/httpfront/config"
)

// Outbox makes events of facts.
type Outbox struct {
	// Settings is the configuration in use.
	Settings func() *config.Config
	// Cluster is the id of the cluster: events of another one have other ids.
	Cluster string
	// Key is the secret of a realm from which the ids of devices at TV providers follow.
	Key func(realm string) []byte
	// Dropped counts the events for a receiver that did not fit into the commit that they
	// tell of; nil: nobody counts.
	Dropped func(receiver uint64, n int)
}

// Wants reports whether any receiver is configured.
func (o *Outbox) Wants() bool {
	for _, r := range o.Settings().Realms {
		if len(r.Webhooks) > 0 {
			return true
		}
	}
	return false
}

// Tell adds the events of facts to the commit that they are of. The id of an event follows
// from that and the receiver, whoever decides again. What does not fit is only counted, and
// its receiver told how many that are.
func (o *Outbox) Tell(c *cluster.Commit, at time.Time, facts []event.Fact) {
	t := telling{commit: c, room: min(maxTold, cluster.MaxCommit-c.Size()) - maxNotes, unfit: map[uint64]int{}}
	for i, f := range facts {
		for _, e := range o.of(f, at, o.origin(c, at, i)) {
			t.add(e)
		}
	}
	if len(t.unfit) == 0 {
		return
	}
	t.room, t.full = t.room+maxNotes, false
	for receiver, n := range t.unfit {
		if o.Dropped != nil {
			o.Dropped(receiver, n)
		}
	}
	for _, e := range o.notes(facts[0], at, o.origin(c, at, len(facts)), t.unfit) {
		t.add(e)
	}
}

// Bounds of the events of one commit in bytes, with what the store adds: of all, and of those
// among them that tell of the others that did not fit, each with its entity.
const (
	maxTold  = 1 << 20
	maxNotes = 32 << 10
)

// telling is the commit that events are added to.
type telling struct {
	commit *cluster.Commit
	room   int
	full   bool
	unfit  map[uint64]int // how many, by receiver
}

// add adds an event, unless it or one before it did not fit.
func (t *telling) add(e cluster.Event) {
	size := (&cluster.Commit{Entity: t.commit.Entity}).Size() + len(e.Body)
	if t.full = t.full || size > t.room; t.full {
		t.unfit[e.Receiver]++
		return
	}
	t.room -= size
	t.commit.Events = append(t.commit.Events, e)
}

// origin is that of a fact of a commit, or of what else the commit tells.
func (o *Outbox) origin(c *cluster.Commit, at time.Time, n int) [32]byte {
	origin := sha256.New()
	origin.Write([]byte(o.Cluster + "\x00" + c.Entity.Kind + "\x00" + c.Entity.Identity + "\x00"))
	origin.Write(binary.BigEndian.AppendUint64(nil, c.BaseRev+1))
	origin.Write(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())))
	origin.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return [32]byte(origin.Sum(nil))
}

// Named are the events of a fact that has a name of its own.
func (o *Outbox) Named(f event.Fact, at time.Time, name string) []cluster.Event {
	return o.of(f, at, sha256.Sum256([]byte(o.Cluster+"\x00"+name)))
}

// of is a fact for each receiver that wants it. origin is unique among facts.
func (o *Outbox) of(f event.Fact, at time.Time, origin [32]byte) (events []cluster.Event) {
	realm := o.realm(&f)
	if realm == nil {
		return nil
	}
	for i := range realm.Webhooks {
		if w := &realm.Webhooks[i]; wanted(w, f) {
			events = append(events, eventsFor(ReceiverOf(realm.ID, *w), bodies(w, f, at, o.Key(realm.ID)), at, origin)...)
		}
	}
	return events
}

// notes tell receivers of a realm how many events about a fact and others did not fit.
func (o *Outbox) notes(f event.Fact, at time.Time, origin [32]byte, unfit map[uint64]int) (events []cluster.Event) {
	realm := o.realm(&f)
	if realm == nil {
		return nil
	}
	for _, w := range realm.Webhooks {
		receiver := ReceiverOf(realm.ID, w)
		if unfit[receiver] > 0 && w.Wants(string(event.EventsDropped)) {
			note := event.Fact{Type: event.EventsDropped, Realm: realm.ID, Count: unfit[receiver], Since: at}
			events = append(events, eventsFor(receiver, bodies(&w, note, at, nil), at, origin)...)
		}
	}
	return events
}

// realm is that of a fact, which names it afterwards; nil: there is none.
func (o *Outbox) realm(f *event.Fact) *config.Realm {
	cfg := o.Settings()
	realm, ok := cfg.Realm(f.Realm)
	if f.Realm == "" {
		realm, _, ok = cfg.ServiceProvider(f.ServiceProvider)
	}
	if !ok {
		return nil
	}
	f.Realm = realm.ID
	return realm
}

func eventsFor(receiver uint64, bodies [][]byte, at time.Time, origin [32]byte) (events []cluster.Event) {
	for n, body := range bodies {
		id := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(origin[:], receiver), uint64(n)))
		events = append(events, cluster.Event{Receiver: receiver, Body: letter{Created: at, ID: [16]byte(id[:16]), JSON: body}.encode()})
	}
	return events
}

// wanted reports whether a receiver is told of a fact.
func wanted(w *config.Webhook, f event.Fact) bool {
	if !w.Wants(string(f.Type)) {
		return false
	}
	return f.ServiceProvider == "" || about(w, f.ServiceProvider)
}

// about reports whether a receiver is told of a service provider.
func about(w *config.Webhook, serviceProvider string) bool {
	return len(w.ServiceProviders) == 0 || slices.Contains(w.ServiceProviders, serviceProvider)
}

// ReceiverOf is the digest by which events name a receiver: it stays the same as long as the
// realm, the URL and the TV provider do.
func ReceiverOf(realm string, w config.Webhook) uint64 {
	sum := sha256.Sum256([]byte(realm + "\x00" + w.URL + "\x00" + w.MVPD))
	return binary.BigEndian.Uint64(sum[:])
}
