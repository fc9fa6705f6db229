package linkdirectory

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// need is what a look-up waits for before it is charged and answered.
type need uint8

const (
	nothing need = iota
	barrier      // what was not found may have been reserved by a newer owner
	room         // the meter's next grant must be written
)

// resolve finds the profile of a code and charges a guess: first among the codes of the
// guesser's own network, then among all. What it needs, and so when it answers, does not
// tell a code of another network that may not be found from a wrong one, nor one near a
// live code from others. A device that found a code before finds it again, even if its
// length was closed since: it guesses nothing, and may wait for confirmation. So a miss
// under that device's name is charged in every network, because a guesser may use it.
func (d *directory) resolve(m *Resolve, request cluster.RequestID, fenced bool, now time.Time) (*ResolveReply, need) {
	if g, ok := d.guesses.find(request); ok {
		return g.reply, nothing // a repeat costs nothing
	}
	if wait := d.wait(m, now); wait > 0 {
		return &ResolveReply{Failure: Failure_GUESSING, RetryAfterMs: wait}, nothing
	}
	d.meter.roll(now)
	d.meter.limit = hits(m.GetWrongHits())
	hash, e := d.find(m.GetCodeHash(), now)
	household := d.isHousehold(m.GetNetwork())
	if e != nil && household && e.network == m.GetNetwork() {
		return d.found(m, request, hash, e, now), nothing
	}
	var both [2]class
	texts, length := m.appendClasses(both[:0]), int(m.GetLength())
	chance := d.chanceOf(texts)
	switch open := d.meter.open(length, chance); {
	case e != nil && !m.GetDenyOther() && (open || e.finder == m.GetDeviceKey()):
		reply := d.found(m, request, hash, e, now)
		reply.OtherNetwork = true
		d.foundBy(e, m.GetDeviceKey())
		return reply, nothing
	case !open && !household && d.finders[m.GetDeviceKey()] == 0: // nothing was looked up
		return d.closed(length, chance, now), nothing
	case !fenced:
		return nil, barrier
	case !open:
		return d.missed(m, request, d.closed(length, chance, now), now), nothing
	case !d.meter.spend(chance, now):
		return nil, room
	}
	near := e == nil && d.nearLive(m.GetPatterns())
	d.meter.add(texts, chance, near)
	return d.missed(m, request, &ResolveReply{Failure: Failure_UNKNOWN_CODE}, now), nothing
}

// found charges a guess that found its code, until it is settled.
func (d *directory) found(m *Resolve, request cluster.RequestID, hash [HashSize]byte, e *entry, now time.Time) *ResolveReply {
	g := d.charge(m.GetDeviceKey(), m.GetAddressKeys(), true, request, now)
	g.hash, g.own = hash, e.network == m.GetNetwork()
	g.reply = &ResolveReply{Owner: []byte(e.owner)}
	return g.reply
}

// missed charges a guess that found nothing.
func (d *directory) missed(m *Resolve, request cluster.RequestID, reply *ResolveReply, now time.Time) *ResolveReply {
	d.charge(m.GetDeviceKey(), m.GetAddressKeys(), false, request, now).reply = reply
	d.observe.guessFailed(d.networks[m.GetNetwork()] != nil)
	return reply
}

// closed refuses a look-up among all codes.
func (d *directory) closed(length int, chance hits, now time.Time) *ResolveReply {
	d.observe.lookupRefused()
	if !d.alerts.closed[length] {
		d.report(now)
	}
	return &ResolveReply{Failure: Failure_CLOSED, RetryAfterMs: d.meter.wait(length, chance, now).Milliseconds()}
}

// find looks a code up; nil when no profile can be told.
func (d *directory) find(encoded []byte, now time.Time) (hash [HashSize]byte, e *entry) {
	if len(encoded) != HashSize {
		return hash, nil
	}
	hash = [HashSize]byte(encoded)
	if e = d.codes[hash]; e == nil || !e.owned(now) {
		return hash, nil
	}
	return hash, e
}

// blame charges a guesser whose guess had found its code and was rejected.
func (d *directory) blame(m *Charge, request cluster.RequestID, now time.Time) error {
	if _, ok := d.guesses.find(request); ok {
		return nil // a repeat costs nothing
	}
	var who Guesser
	if err := proto.Unmarshal(m.GetGuesser(), &who); err != nil {
		return fmt.Errorf("decode guesser: %w", err)
	}
	d.charge(who.DeviceKey, who.AddressKeys, false, request, now)
	d.observe.guessFailed(false)
	return nil
}

// settle ends a guess that found its code, once: a repeat, or a guess that another owner
// of the directory charged, changes nothing. A redeemed code is given up in any case.
func (d *directory) settle(m *Settle, request cluster.RequestID, now time.Time) {
	if m.GetVerdict() == Verdict_REDEEMED && len(m.GetCodeHash()) == HashSize {
		d.retire([HashSize]byte(m.GetCodeHash()), true, now)
	}
	g, ok := d.guesses.find(request)
	if !ok || !g.open || string(g.hash[:]) != string(m.GetCodeHash()) {
		return
	}
	failed := m.GetVerdict() == Verdict_FAILED
	if failed {
		d.observe.guessFailed(g.own)
	}
	d.end(g, !failed)
}

// giveUp retires codes that were replaced, cancelled or never added.
func (d *directory) giveUp(m *Retire, request cluster.RequestID, now time.Time) {
	if reply, ok := d.repeated(call{request, StepReserve}); ok && m.GetReserved() {
		d.retire([HashSize]byte(reply.CodeHash), false, now)
	}
	for _, hash := range m.GetCodeHash() {
		if len(hash) == HashSize {
			d.retire([HashSize]byte(hash), false, now)
		}
	}
}
