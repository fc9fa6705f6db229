package actors

import (
	"time"

	"ssod/cluster"
)

// Skew is more than the difference between two nodes' times while their clocks are good
// enough: less than this ahead is not the future.
const Skew = 10 * time.Second

// Times are what decisions go by.
type Times struct {
	// Now follows the clock. It decides what people wait for: what is good until when.
	Now time.Time
	// Confirmed is the time that has certainly passed: it ignores a leap of the clock
	// until that is confirmed. It may be before or after Now.
	Confirmed time.Time
}

// Over is the time by which something kept for long has expired.
func (t Times) Over() time.Time {
	if t.Confirmed.Before(t.Now) {
		return t.Confirmed
	}
	return t.Now
}

// Seen is the time with which something is marked that must be kept for long from now
// on, so that by Over it is not dropped early however the clock is set afterwards.
func (t Times) Seen() time.Time {
	if t.Confirmed.After(t.Now) {
		return t.Confirmed
	}
	return t.Now
}

// Store is what an entity loads from.
type Store interface {
	cluster.Reader
	// Times are the times now. What is stored may be later, after the shard's time was
	// set back: then it counts as of now.
	Times() Times
}

func timesOf(s cluster.Shard) Times { return Times{s.Now(), s.Confirmed()} }

// Times returns Now together with the confirmed time.
func (t *Turn) Times() Times { return timesOf(t.entity.lead.handle) }
