package linkdirectory

import (
	"time"

	"ssod/cluster"
)

// maxGuesses bounds the guesses remembered. One that is forgotten early cannot
// be refunded.
const maxGuesses = 1 << 16

// guess is one resolve that was charged. It is remembered for a while, so that a repeat
// is not charged again and a settlement refunds exactly once.
//
// The charge of an open guess counts at once, but is written only when it is settled as
// failed, or forgotten without being settled. So a refund lost with this owner of the
// directory does not matter: the next one does not know of the charge. That forgives the
// guesses that had found a code and were not judged yet, like the misses since the last
// commit.
type guess struct {
	hash      [HashSize]byte
	reply     *ResolveReply
	device    charged
	addresses [len(addressPrefixes)]charged
	charges   uint8 // number of addresses in use
	own       bool  // found a code of its own network
	open      bool  // found its code and is not settled
}

// charged is a window that counted a guess.
type charged struct {
	key   uint64
	start int64 // ms
}

// charge counts a guess against the device and what its address belongs to.
func (d *directory) charge(device uint64, addresses []uint64, open bool, request cluster.RequestID, now time.Time) *guess {
	g := &guess{device: charged{device, d.devices.charge(device, open, now)}, open: open}
	for i, key := range addresses[:min(len(addresses), len(g.addresses))] {
		g.addresses[i] = charged{key, d.addresses.charge(key, open, now)}
		g.charges++
	}
	d.guesses.add(request, g, now.UnixMilli())
	return g
}

// end settles what an open guess was charged: it is refunded, or it stays.
func (d *directory) end(g *guess, refund bool) {
	if !g.open {
		return
	}
	g.open = false
	d.devices.settle(g.device, refund)
	for _, c := range g.addresses[:g.charges] {
		d.addresses.settle(c, refund)
	}
}

// wait returns how many ms the guesser must wait; 0: none.
func (d *directory) wait(m *Resolve, now time.Time) int64 {
	wait := d.devices.wait(m.GetDeviceKey(), int(m.GetPerDevice()), now)
	for i, key := range m.GetAddressKeys()[:min(len(m.GetAddressKeys()), len(addressPrefixes))] {
		wait = max(wait, d.addresses.wait(key, int(m.GetPerAddress())*addressPrefixes[i].budgets, now))
	}
	return wait
}
