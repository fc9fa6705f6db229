package linkdirectory

import "net/netip"

// householdCodes is how many live codes a network may have to count as one household.
// With more it is a carrier's address translator, or a backend that does not forward its
// viewers' addresses.
const householdCodes = 8

// addressPrefixes are the networks that a guess from an IPv6 address is charged
// to, and what each may fail in multiples of an address's budget: one host owns a
// whole /64, one customer a /56 or a /48.
var addressPrefixes = [...]struct{ bits, budgets int }{{64, 1}, {56, 4}, {48, 16}}

// householdBits is the length of the IPv6 prefix that a household has.
const householdBits = 56

// network digests the network of a household.
func (d *deriver) network(a netip.Addr) uint64 {
	a = a.Unmap()
	bits := a.BitLen()
	if a.Is6() {
		bits = householdBits
	}
	return d.prefix(purposeNetwork, a, bits)
}

// addressKeys digests what a guess from an address is charged to: the address, or the
// networks of [addressPrefixes].
func (d *deriver) addressKeys(a netip.Addr) []uint64 {
	a = a.Unmap()
	if !a.Is6() {
		return []uint64{d.prefix(purposeAddress, a, a.BitLen())}
	}
	keys := make([]uint64, len(addressPrefixes))
	for i, p := range addressPrefixes {
		keys[i] = d.prefix(purposeAddress, a, p.bits)
	}
	return keys
}

// prefix digests the first bits of an address, and how many those are.
func (d *deriver) prefix(purpose byte, a netip.Addr, bits int) uint64 {
	whole := a.As16()
	if a.Is4() {
		bits += 96
	}
	n := bits / 8 // all are whole bytes
	copy(d.in[:n], whole[:n])
	d.in[n] = byte(bits)
	return d.key(purpose, d.in[:n+1])
}

// household is what one network has.
type household struct {
	live    int // codes
	byClass [classes]uint32
}

// join and leave count the live codes of a network.
func (d *directory) join(e *entry) {
	h := d.networks[e.network]
	if h == nil {
		h = &household{}
		d.networks[e.network] = h
	}
	h.live++
	h.byClass[e.class]++
}

func (d *directory) leave(e *entry) {
	h := d.networks[e.network]
	h.byClass[e.class]--
	if h.live--; h.live == 0 {
		delete(d.networks, e.network)
	}
}

// crowds reports whether a network holds a quarter of the codes of a class that may be
// live: it must not occupy the short ones.
func (d *directory) crowds(network uint64, c class, allowance int) bool {
	h := d.networks[network]
	return h != nil && 4*int(h.byClass[c]) >= allowance
}

// isHousehold reports whether a network has few enough codes to be looked up in.
func (d *directory) isHousehold(network uint64) bool {
	h := d.networks[network]
	return h == nil || h.live <= householdCodes
}
