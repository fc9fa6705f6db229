package node

import (
	"testing"
	"time"
)

// TestOutOfContactNamesTheMetaShard: who reads it knows which nodes to start.
func TestOutOfContactNamesTheMetaShard(t *testing.T) {
	since := time.Date(2026, 1, 2, 20, 0, 3, 0, time.UTC)
	voters := []string{"n1", "n2", "n3"}
	tests := []struct {
		name string
		o    outOfContact
		want string
	}{
		{
			"two of three are gone",
			outOfContact{since: since, lasts: 12 * time.Second, voters: voters, unreached: []string{"n2", "n3"}},
			"no leader of the meta shard heard since 2026-01-02T20:00:03Z (12s): every request is refused, because revocations may be missing here; of the 3 nodes that elect the leader not reached: n2, n3; start them, or check the network to them",
		},
		{
			"it never was",
			outOfContact{voters: voters},
			"no leader of the meta shard heard since this node started: every request is refused, because revocations may be missing here; check the network to the other nodes",
		},
		{
			"the leader does not answer",
			outOfContact{since: since, lasts: 11 * time.Second, leader: "n2", voters: voters},
			"n2, which leads the meta shard, has not answered since 2026-01-02T20:00:03Z (11s): every request is refused, because revocations may be missing here; check the network to the other nodes",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.o.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
