package linkdirectory

import (
	"time"

	"ssod/cluster"
)

// resolve finds the profile of a code and charges a guess. A code that is not
// found may have been reserved by a newer owner of the directory, so that is
// answered only behind a barrier: fence asks for one, and nothing was charged.
func (d *directory) resolve(m *Resolve, request cluster.RequestID, fenced bool, now time.Time) (reply *ResolveReply, fence bool) {
	if g, ok := d.guesses.find(request); ok {
		return g.reply, false // a repeat costs nothing
	}
	if refusal := d.refuse(m, now); refusal != nil {
		return refusal, false
	}
	hash, e := d.find(m.GetCodeHash(), now)
	if e == nil && !fenced {
		return nil, true
	}
	g := d.charge(m, request, now)
	if e == nil {
		g.reply = &ResolveReply{Failure: Failure_UNKNOWN_CODE}
		d.failed(int(m.GetPerRealm()), now)
		return g.reply, false
	}
	g.hash, g.open = hash, true
	g.reply = &ResolveReply{Namespace: []byte(e.namespace), Subject: []byte(e.subject)}
	return g.reply, false
}

// refuse answers guesses that reach no look-up and cost nothing: short codes
// are closed, or the guesser used up a budget.
func (d *directory) refuse(m *Resolve, now time.Time) *ResolveReply {
	if ms, closed := d.realm.closed(now); closed && m.GetLength() < LongLength {
		return &ResolveReply{Failure: Failure_CLOSED, RetryAfterMs: ms}
	}
	wait := max(
		d.devices.wait(m.GetDeviceKey(), int(m.GetPerDevice()), now),
		d.addresses.wait(m.GetAddressKey(), int(m.GetPerAddress()), now),
	)
	if wait > 0 {
		return &ResolveReply{Failure: Failure_GUESSING, RetryAfterMs: wait}
	}
	return nil
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

// charge counts the guess against the device and the address.
func (d *directory) charge(m *Resolve, request cluster.RequestID, now time.Time) *guess {
	g := &guess{
		device: m.GetDeviceKey(), deviceStart: d.devices.charge(m.GetDeviceKey(), now),
		address: m.GetAddressKey(), addressStart: d.addresses.charge(m.GetAddressKey(), now),
	}
	d.guesses.add(request, g, now.UnixMilli())
	return g
}

// failed counts a failed guess against the realm.
func (d *directory) failed(budget int, now time.Time) {
	d.observe.guessFailed()
	if closing := d.realm.fail(budget, now); closing > 0 {
		d.observe.closed(closing)
	}
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
		d.failed(int(m.GetPerRealm()), now)
		return
	}
	d.devices.refund(g.device, g.deviceStart)
	d.addresses.refund(g.address, g.addressStart)
}

// giveUp retires codes that were replaced, cancelled or never added.
func (d *directory) giveUp(m *Retire, now time.Time) {
	for _, hash := range m.GetCodeHash() {
		if len(hash) == HashSize {
			d.retire([HashSize]byte(hash), false, now)
		}
	}
}
