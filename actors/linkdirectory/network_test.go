package linkdirectory

import (
	"net/netip"
	"testing"
)

// giveTo reserves a code for a device in a network.
func (r *realmDirectory) giveTo(network uint64) given {
	r.Helper()
	r.wanted.Network = network
	return r.give()
}

func TestACodeIsFoundInItsOwnNetworkFirst(t *testing.T) {
	tests := []struct {
		name   string
		others int // codes of the network beside the one
		from   uint64
		deny   bool
		want   Failure
		other  bool
	}{
		{"own network", 0, 7, false, Failure_OK, false},
		{"another network", 0, 8, false, Failure_OK, true},
		{"own network, others denied", 0, 7, true, Failure_OK, false},
		{"another network, denied", 0, 8, true, Failure_UNKNOWN_CODE, false},
		{"a household with eight codes", 7, 7, true, Failure_OK, false},
		{"nine codes are no household", 8, 7, false, Failure_OK, true},
		{"nine codes are no household, denied", 8, 7, true, Failure_UNKNOWN_CODE, false},
	}
	for _, tt := range tests {
		for _, restarts := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				r := newRealm(t)
				g := r.giveTo(7)
				for range tt.others {
					r.giveTo(7)
				}
				if restarts {
					r.restart()
				}
				q := r.query(g.code, 1, tt.from)
				q.DenyOther = tt.deny
				reply, _ := r.ask(q)
				if reply.Failure != tt.want || reply.OtherNetwork != tt.other {
					t.Errorf("got %v, other %v, want %v, %v", reply.Failure, reply.OtherNetwork, tt.want, tt.other)
				}
				if got, want := failures(r.devices, r.now), 1; got != want {
					t.Errorf("charged: got %d, want %d", got, want)
				}
			})
		}
	}
}

// A code that is not live any more is none of the eight.
func TestOnlyLiveCodesMakeANetworkTooLarge(t *testing.T) {
	r := newRealm(t)
	for range 20 {
		giveUp(r, r.giveTo(7))
	}
	g := r.giveTo(7)
	if reply, _ := r.guess(g.code, 1, 7); reply.OtherNetwork {
		t.Error("codes that were given up count")
	}
	if giveUp(r, g); len(r.networks) != 0 {
		t.Errorf("%d networks are remembered without a code", len(r.networks))
	}
}

// Denied and unknown codes take the same way: both wait for a barrier.
func TestADeniedCodeLooksLikeAWrongOne(t *testing.T) {
	r := newRealm(t)
	q := r.query(r.giveTo(7).code, 1, 8)
	q.DenyOther = true
	if _, needs := r.resolve(q, r.request(), false, r.now); needs != barrier {
		t.Error("a denied code was answered without a barrier, a wrong one is not")
	}
}

func TestAnUnwantedGuesserIsChargedOnce(t *testing.T) {
	r := newRealm(t)
	g := r.giveTo(7)
	_, request := r.guess(g.code, 1, 1)
	r.end(g.hash, Verdict_REFUNDED, request)
	charge := &Charge{Guesser: encode(&Guesser{DeviceKey: 1, AddressKeys: []uint64{1}})}
	request = r.request()
	for range 3 { // repeats change nothing
		if err := r.blame(charge, request, r.now); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range []*windows{r.devices, r.addresses} {
		if got := failures(w, r.now); got != 1 {
			t.Errorf("failures: got %d, want 1", got)
		}
	}
	if r.watch.failures != 1 {
		t.Errorf("reported: got %d, want 1", r.watch.failures)
	}
	if err := r.blame(&Charge{Guesser: []byte{0xff}}, r.request(), r.now); err == nil {
		t.Error("who cannot be decoded was charged")
	}
}

// A provider's customer owns many /64: they are charged together too.
func TestIPv6GuessersAreChargedByTheirNetworks(t *testing.T) {
	tests := []struct {
		name    string
		vary    int // the byte of the address that the guesser changes
		lookups int
	}{
		{"hosts of a /64", 15, 60},
		{"/64s of a /56", 7, 240},
		{"/56s of a /48", 6, 960},
		{"/48s", 5, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t)
			d, lookups := newDeriver(testKey), 0
			for i := range 1000 {
				address := netip.MustParseAddr("2001:db8::1").As16()
				address[tt.vary] += byte(i)
				address[14] += byte(i >> 8)
				q := r.query("000000", uint64(i), 0)
				q.AddressKeys = d.addressKeys(netip.AddrFrom16(address))
				if reply, _ := r.ask(q); reply.Failure == Failure_UNKNOWN_CODE {
					lookups++
				}
			}
			if lookups != tt.lookups {
				t.Errorf("look-ups: got %d, want %d", lookups, tt.lookups)
			}
		})
	}
}

func TestASuccessFromIPv6RefundsAllItsNetworks(t *testing.T) {
	r := newRealm(t)
	g := r.giveTo(7)
	q := r.query(g.code, 1, 7)
	q.AddressKeys = newDeriver(testKey).addressKeys(netip.MustParseAddr("2001:db8::1"))
	request := r.request()
	r.resolve(q, request, true, r.now)
	r.end(g.hash, Verdict_REDEEMED, request)
	if n := len(r.addresses.byKey); n != 0 {
		t.Errorf("%d networks are still charged", n)
	}
}

func TestNetworksOfHouseholds(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"2001:db8:0:1::1", "2001:db8:0:ff::2", true},
		{"2001:db8:0:100::1", "2001:db8:0:1::1", false},
		{"::ffff:192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"::192.0.2.1", "192.0.2.1", false},
	}
	d := newDeriver(testKey)
	for _, tt := range tests {
		if got := d.network(netip.MustParseAddr(tt.a)) == d.network(netip.MustParseAddr(tt.b)); got != tt.same {
			t.Errorf("%s and %s are one network: got %v, want %v", tt.a, tt.b, got, tt.same)
		}
	}
	if k := newDeriver([]byte("another realm's key")); k.network(netip.MustParseAddr("192.0.2.1")) == d.network(netip.MustParseAddr("192.0.2.1")) {
		t.Error("the network of a code says which network it is without the realm's key")
	}
}
