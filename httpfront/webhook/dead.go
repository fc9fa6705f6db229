package webhook

import (
	"time"

	"ssod/cluster"
)

// Bounds of the dead letters of a receiver in one shard.
const (
	deadLife = 7 * 24 * time.Hour
	maxDead  = 1000
)

// prune forgets dead letters that are too old or too many. It does not look for more of them
// while the marks of those that it found cannot be committed.
func (d *Dispatcher) prune(l *lane, now time.Time) {
	if len(l.extra) > 0 || now.Sub(l.pruned) < prunePace && !now.Before(l.pruned) {
		return
	}
	l.pruned = now
	shard := l.handle.Now()
	receivers, err := l.handle.Receivers(cluster.EventDead)
	for _, id := range receivers {
		var keys []cluster.EventKey
		old := 0
		err = l.handle.Events(cluster.EventDead, id, 0, func(k cluster.EventKey, body []byte) bool {
			if dead, err := parseLetter(body); err != nil || shard.Sub(dead.Died) >= deadLife {
				old = len(keys) + 1
			}
			keys = append(keys, k)
			return true
		})
		if err != nil {
			break
		}
		for _, k := range keys[:max(old, len(keys)-maxDead)] {
			l.extra = append(l.extra, cluster.Mark{Key: k, Fate: cluster.Delivered})
		}
	}
	d.heard(l, err)
}
