package webhook

import (
	"crypto/sha256"
	"encoding/binary"
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

// Events are those of the facts of one commit, which leaves the entity at the revision. The
// id of an event follows from these and the receiver, whoever decides again.
func (o *Outbox) Events(of cluster.Entity, rev uint64, at time.Time, facts []event.Fact) []cluster.Event {
	var events []cluster.Event
	for i, f := range facts {
		origin := sha256.New()
		origin.Write([]byte(o.Cluster + "\x00" + of.Kind + "\x00" + of.Identity + "\x00"))
		origin.Write(binary.BigEndian.AppendUint64(nil, rev))
		origin.Write(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())))
		origin.Write(binary.BigEndian.AppendUint64(nil, uint64(i)))
		events = append(events, o.of(f, at, [32]byte(origin.Sum(nil)))...)
	}
	return events
}

// Named are the events of a fact that has a name of its own.
func (o *Outbox) Named(f event.Fact, at time.Time, name string) []cluster.Event {
	return o.of(f, at, sha256.Sum256([]byte(o.Cluster+"\x00"+name)))
}

// of is a fact for each receiver that wants it. origin is unique among facts.
func (o *Outbox) of(f event.Fact, at time.Time, origin [32]byte) (events []cluster.Event) {
	cfg := o.Settings()
	realm, ok := cfg.Realm(f.Realm)
	if f.Realm == "" {
		realm, _, ok = cfg.ServiceProvider(f.ServiceProvider)
	}
	if !ok {
		return nil
	}
	f.Realm = realm.ID
	for i := range realm.Webhooks {
		w := &realm.Webhooks[i]
		if !wanted(w, f) {
			continue
		}
		receiver := ReceiverOf(realm.ID, *w)
		for n, body := range bodies(w, f, at, o.Key(realm.ID)) {
			id := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(origin[:], receiver), uint64(n)))
			events = append(events, cluster.Event{Receiver: receiver, Body: letter{Created: at, ID: [16]byte(id[:16]), JSON: body}.encode()})
		}
	}
	return events
}

// wanted reports whether a receiver is told of a fact.
func wanted(w *config.Webhook, f event.Fact) bool {
	if !w.Wants(string(f.Type)) {
		return false
	}
	if len(w.ServiceProviders) == 0 || f.ServiceProvider == "" {
		return true
	}
	for _, id := range w.ServiceProviders {
		if id == f.ServiceProvider {
			return true
		}
	}
	return false
}

// ReceiverOf is the digest by which events name a receiver: it stays the same as long as the
// realm, the URL and the TV provider do.
func ReceiverOf(realm string, w config.Webhook) uint64 {
	sum := sha256.Sum256([]byte(realm + "\x00" + w.URL + "\x00" + w.MVPD))
	return binary.BigEndian.Uint64(sum[:])
}
