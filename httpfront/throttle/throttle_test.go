package throttle

import (
	"net/netip"
	"testing"
	"time"
)

var (
	start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	phone = netip.MustParseAddr("192.0.2.1")
	usual = Rate{PerSecond: 1, Burst: 10}
)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

// TestVendorExample is the worked example of the documented throttle.
func TestVendorExample(t *testing.T) {
	th := New()
	for _, step := range []struct {
		seconds float64
		want    bool
	}{
		{0, true},
		{0.3, true},
		{0.6, true},
		{0.9, true},
		{1.2, true},
		{1.3, true},
		{1.4, true},
		{1.5, true},
		{1.6, true},
		{1.7, true},
		{1.8, true},
		{2.1, true},
		{2.2, true},
		{2.4, false},
		{2.6, false},
		{2.8, false},
		{3.1, true},
	} {
		if got := th.Allow(phone, usual, at(step.seconds)); got != step.want {
			t.Errorf("request at %.1f s: allowed %v, want %v", step.seconds, got, step.want)
		}
	}
}

func TestAddressesDoNotShareBuckets(t *testing.T) {
	th := New()
	for range 11 {
		th.Allow(phone, usual, start)
	}
	if th.Allow(phone, usual, start) {
		t.Error("the 12th request of one moment was allowed")
	}
	if !th.Allow(netip.MustParseAddr("192.0.2.2"), usual, start) {
		t.Error("another address was refused")
	}
}

// TestIPv6ClientsAreNetworks: a host that calls from ever new addresses of its
// /64 is one client; its neighbour in the next one is another.
func TestIPv6ClientsAreNetworks(t *testing.T) {
	th := New()
	host := netip.MustParsePrefix("2001:db8:0:7::/64").Addr()
	for range 11 {
		host = host.Next()
		th.Allow(host, usual, start)
	}
	for _, again := range []string{"2001:db8:0:7::ffff", "2001:db8:0:7:ffff:ffff:ffff:ffff"} {
		if th.Allow(netip.MustParseAddr(again), usual, start) {
			t.Errorf("%s made the 12th request of one moment in its /64", again)
		}
	}
	if !th.Allow(netip.MustParseAddr("2001:db8:0:8::1"), usual, start) {
		t.Error("the next /64 was refused")
	}
	if got := th.Len(); got != 2 {
		t.Errorf("got %d buckets, want 2", got)
	}
}

// TestReloadKeepsBuckets: a new rate applies to the bucket as it is.
func TestReloadKeepsBuckets(t *testing.T) {
	th := New()
	for range 11 {
		th.Allow(phone, usual, start)
	}
	faster := Rate{PerSecond: 10, Burst: 20}
	if th.Allow(phone, faster, start) {
		t.Error("a reload filled the bucket")
	}
	if !th.Allow(phone, faster, at(0.1)) {
		t.Error("the new rate does not apply")
	}
	smaller := Rate{PerSecond: 10, Burst: 0}
	allowed := 0
	for range 5 {
		if th.Allow(phone, smaller, at(50)) {
			allowed++
		}
	}
	if allowed != 1 {
		t.Errorf("got %d requests at once with burst 0, want 1", allowed)
	}
}

func TestClockStepsBack(t *testing.T) {
	th := New()
	for range 11 {
		th.Allow(phone, usual, at(100))
	}
	if th.Allow(phone, usual, at(0)) {
		t.Error("going back in time gave a token")
	}
	if !th.Allow(phone, usual, at(101)) {
		t.Error("after the step the bucket does not refill")
	}
}

func TestIdleBucketsAreDropped(t *testing.T) {
	th := New()
	for i := range 1000 {
		th.Allow(numbered(i), usual, start)
	}
	if got := th.Len(); got != 1000 {
		t.Fatalf("got %d buckets, want 1000", got)
	}
	for i := range 1000 { // other addresses, so that every shard sweeps
		th.Allow(numbered(1_000_000+i), usual, at(60))
	}
	if got := th.Len(); got > 1000 {
		t.Errorf("got %d buckets after a minute, want at most 1000", got)
	}
}

func TestBucketsAreBounded(t *testing.T) {
	const limit = 6400
	th := newThrottle(limit)
	for i := range 10 * limit {
		th.Allow(numbered(i), usual, start)
	}
	if got := th.Len(); got > limit || got < limit/4 {
		t.Errorf("got %d buckets, want at most %d and not far less", got, limit)
	}
}

func numbered(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8")}
	tests := []struct {
		name, peer, forwarded, want string
	}{
		{"no proxy, no header", "203.0.113.9", "", "203.0.113.9"},
		{"a stranger's header", "203.0.113.9", "192.0.2.1", "203.0.113.9"},
		{"a stranger claims to be a proxy", "203.0.113.9", "127.0.0.1", "203.0.113.9"},
		{"a proxy", "127.0.0.1", "192.0.2.1", "192.0.2.1"},
		{"a proxy behind a proxy", "10.1.2.3", "192.0.2.1, 10.9.9.9", "192.0.2.1"},
		{"without a blank", "127.0.0.1", "192.0.2.1,10.9.9.9", "192.0.2.1"},
		{"a proxy without a header", "127.0.0.1", "", "127.0.0.1"},
		{"a proxy with nonsense", "127.0.0.1", "unknown", "127.0.0.1"},
		{"a proxy appends to what a stranger made up", "127.0.0.1", "198.51.100.7, 192.0.2.1", "192.0.2.1"},
		{"a stranger plays a proxy's address", "127.0.0.1", "198.51.100.7, 10.9.9.9, 192.0.2.1, 10.1.2.3", "192.0.2.1"},
		{"proxies only", "127.0.0.1", "10.9.9.9, 10.1.2.3", "10.9.9.9"},
		{"nonsense before the device", "127.0.0.1", "unknown, 192.0.2.1", "192.0.2.1"},
		{"nonsense before a proxy", "127.0.0.1", "192.0.2.1, unknown, 10.1.2.3", "10.1.2.3"},
		{"an empty entry at the end", "127.0.0.1", "192.0.2.1,", "127.0.0.1"},
		{"an empty entry before the device", "127.0.0.1", ", 192.0.2.1", "192.0.2.1"},
		{"with a port", "127.0.0.1", "192.0.2.1:4711", "192.0.2.1"},
		{"IPv6", "::1", "2001:db8::1", "2001:db8::1"},
		{"IPv6 in brackets", "::1", "[2001:db8::1]", "2001:db8::1"},
		{"IPv6 with a port", "::1", "[2001:db8::1]:443", "2001:db8::1"},
		{"IPv4 in IPv6 is the same client", "::ffff:127.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"},
		{"a zone is dropped", "fe80::1%eth0", "192.0.2.1", "fe80::1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ClientAddress(netip.MustParseAddr(tt.peer), []byte(tt.forwarded), trusted)
			if got.String() != tt.want {
				t.Errorf("ClientAddress(%s, %q) = %s, want %s", tt.peer, tt.forwarded, got, tt.want)
			}
		})
	}
}

func BenchmarkAllow(b *testing.B) {
	th, now := New(), time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		th.Allow(numbered(i%10_000), usual, now)
	}
}
