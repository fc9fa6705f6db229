package linkdirectory

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// resolve finds the profile of a code and charges a guess: first among the codes
// of the guesser's own network, then among all. A code that is not found may have
// been reserved by a newer owner of the directory, so that is answered only
// behind a barrier: fence asks for one, and nothing was charged.
func (d *directory) resolve(m *Resolve, request cluster.RequestID, fenced bool, now time.Time) (reply *ResolveReply, fence bool) {
	if g, ok := d.guesses.find(request); ok {
		return g.reply, false // a repeat costs nothing
	}
	if wait := d.wait(m, now); wait > 0 {
		return &ResolveReply{Failure: Failure_GUESSING, RetryAfterMs: wait}, false
	}
	hash, e := d.find(m.GetCodeHash(), now)
	own := e != nil && e.network == m.GetNetwork() && d.isHousehold(m.GetNetwork())
	if !own {
		if ms, closed := d.realm.closed(now); closed && m.GetLength() < LongLength {
			return &ResolveReply{Failure: Failure_CLOSED, RetryAfterMs: ms}, false
		}
		if m.GetDenyOther() {
			e = nil
		}
	}
	if e == nil && !fenced {
		return nil, true
	}
	g := d.charge(m.GetDeviceKey(), m.GetAddressKeys(), request, now)
	g.own = own || d.networks[m.GetNetwork()] != nil && d.isHousehold(m.GetNetwork())
	g.perRealm = int(m.GetPerRealm())
	if e == nil {
		g.reply = &ResolveReply{Failure: Failure_UNKNOWN_CODE}
		d.failed(g.own, g.perRealm, now)
		return g.reply, false
	}
	g.hash, g.own, g.open = hash, own, true
	g.reply = &ResolveReply{Namespace: []byte(e.namespace), Subject: []byte(e.subject), OtherNetwork: !own}
	return g.reply, false
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

// failed counts a failed guess against the realm.
func (d *directory) failed(own bool, budget int, now time.Time) {
	d.observe.guessFailed(own)
	if closing := d.realm.fail(budget, now); closing > 0 {
		d.observe.closed(closing)
	}
}

// blame charges a guesser whose guess had found its code and was not wanted.
func (d *directory) blame(m *Charge, request cluster.RequestID, now time.Time) error {
	if _, ok := d.guesses.find(request); ok {
		return nil // a repeat costs nothing
	}
	var who Guesser
	if err := proto.Unmarshal(m.GetGuesser(), &who); err != nil {
		return fmt.Errorf("decode guesser: %w", err)
	}
	d.charge(who.DeviceKey, who.AddressKeys, request, now)
	d.observe.guessFailed(false)
	return nil
}

// settle ends a guess that found its code, once: a repeat, or a guess that
// another owner of the directory charged, changes nothing. A redeemed code is
// given up whoever asks.
func (d *directory) settle(m *Settle, request cluster.RequestID, now time.Time) {
	if m.GetVerdict() == Verdict_REDEEMED && len(m.GetCodeHash()) == HashSize {
		if d.retire([HashSize]byte(m.GetCodeHash()), true, now) {
			d.realm.succeed(now)
		}
	}
	g, ok := d.guesses.find(request)
	if !ok || !g.open || string(g.hash[:]) != string(m.GetCodeHash()) {
		return
	}
	g.open = false
	if m.GetVerdict() == Verdict_FAILED {
		d.failed(g.own, g.perRealm, now)
		return
	}
	d.refund(g)
}

// giveUp retires codes that were replaced, cancelled or never added.
func (d *directory) giveUp(m *Retire, now time.Time) {
	for _, hash := range m.GetCodeHash() {
		if len(hash) == HashSize {
			d.retire([HashSize]byte(hash), false, now)
		}
	}
}
