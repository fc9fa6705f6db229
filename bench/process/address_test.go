package process

import (
	"net"
	"slices"
	"testing"
)

// Two processes that take addresses side by side never get the same one, not even
// while nobody listens there.
func TestProcessesDoNotShareAddresses(t *testing.T) {
	var one, other addresses
	t.Cleanup(one.release)
	t.Cleanup(other.release)
	var all []string
	for range 50 {
		for _, a := range []*addresses{&one, &other} {
			taken, err := a.take(5)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, taken...)
		}
	}
	slices.Sort(all)
	if distinct := slices.Compact(slices.Clone(all)); len(distinct) != len(all) {
		t.Errorf("%d addresses, only %d of them distinct", len(all), len(distinct))
	}
}

// A port that somebody has, for TCP or for UDP, is passed over.
func TestTakenPortsArePassedOver(t *testing.T) {
	var a addresses
	t.Cleanup(a.release)
	if _, err := a.take(1); err != nil {
		t.Fatal(err)
	}
	stream, err := net.Listen("tcp", loopback(a.owned[0]+2))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	packets, err := net.ListenPacket("udp", loopback(a.owned[0]+3))
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	addrs, err := a.take(1)
	if err != nil || addrs[0] != loopback(a.owned[0]+4) {
		t.Errorf("got %v, %v, want port %d", addrs, err, a.owned[0]+4)
	}
}

func (a *addresses) release() {
	for _, guard := range a.guards {
		_ = guard.Close()
	}
}
