package main

import (
	"context"
	"fmt"

	"ssod/cluster"
)

// eventsLevel is the first level of which a directory has events.
const eventsLevel = 2

// events are those of a change: one for a receiver that no other entity has.
func events(n, round int) []cluster.Event {
	return []cluster.Event{{Receiver: receiver(n), Body: fmt.Appendf(nil, "event %d of entity %d", round, n)}}
}

func receiver(n int) uint64 { return uint64(n + 1) }

// mark says what became of the event of a round: the first one is delivered and the second
// one a dead letter. The others wait.
func mark(ctx context.Context, shard cluster.Shard, n, round int) error {
	if round > 1 {
		return nil
	}
	var m cluster.Mark
	err := shard.Events(cluster.EventQueue, receiver(n), 0, func(k cluster.EventKey, body []byte) bool {
		m = cluster.Mark{Key: k, Fate: cluster.Delivered}
		if round == 1 {
			m.Fate, m.Body = cluster.Dead, body
		}
		return false
	})
	if err != nil {
		return err
	}
	return shard.Commit(ctx, cluster.Commit{Marks: []cluster.Mark{m}})
}
