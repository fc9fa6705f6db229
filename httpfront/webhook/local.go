package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ssod/cluster"
)

// question is what one node asks of another about the shards that it leads. Nodes of
// different versions ask each other: members are only added.
type question struct {
	Shards []cluster.ShardID `json:"shards"`
	// Receivers that are meant; none: all.
	Receivers []uint64 `json:"receivers,omitempty"`
	// Of a list: where the last page ended, and how many dead letters make a page.
	After *position `json:"after,omitempty"`
	Limit int       `json:"limit,omitempty"`
	// Replay lets dead letters wait again: the one with an id, or all.
	Replay bool   `json:"replay,omitempty"`
	ID     string `json:"id,omitempty"`
}

// report is the answer.
type report struct {
	Receivers map[uint64]*Backlog `json:"receivers,omitempty"`
	Letters   []DeadLetter        `json:"letters,omitempty"` // in order of position
	Queued    int                 `json:"queued,omitempty"`
}

// Backlog is what there is for a receiver.
type Backlog struct {
	Waiting int        `json:"waiting"`
	Oldest  *time.Time `json:"oldest,omitempty"` // of those that wait
	Dead    int        `json:"dead"`
	Why     string     `json:"why,omitempty"` // the last try failed
}

// DeadLetter is an event that was given up, without its body.
type DeadLetter struct {
	Position position  `json:"position"`
	ID       string    `json:"id"` // the webhook-id
	Type     string    `json:"type"`
	Happened time.Time `json:"happened"`
	Died     time.Time `json:"died"`
	Attempts int       `json:"attempts"`
	Why      string    `json:"why,omitempty"`
}

// Serve answers the question of another node.
func (d *Dispatcher) Serve(ctx context.Context, request []byte) ([]byte, error) {
	var q question
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, fmt.Errorf("question about events: %w", err)
	}
	answer, err := d.answer(ctx, q)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

func (d *Dispatcher) answer(ctx context.Context, q question) (report, error) {
	if q.Replay {
		return d.replay(ctx, q)
	}
	return d.list(ctx, q)
}

// meant reports whether a question is about a receiver.
func (q *question) meant(receiver uint64) bool {
	return len(q.Receivers) == 0 || slices.Contains(q.Receivers, receiver)
}

// list counts what there is, on the first page, and reads a page of dead letters.
func (d *Dispatcher) list(ctx context.Context, q question) (report, error) {
	r := report{Receivers: map[uint64]*Backlog{}}
	if q.After == nil {
		if err := d.do(ctx, func() { d.backlogs(&q, r.Receivers) }); err != nil {
			return r, err
		}
	}
	err := d.dead(ctx, &q, func(_ cluster.Shard, at position, _ cluster.EventKey, l letter) bool {
		if q.After == nil {
			of(r.Receivers, at.Receiver).Dead++
		}
		if len(r.Letters) < q.Limit {
			r.Letters = append(r.Letters, l.dead(at))
		}
		return q.After == nil || len(r.Letters) < q.Limit
	})
	return r, err
}

// dead calls f for dead letters, in order of position, until it returns false.
func (d *Dispatcher) dead(ctx context.Context, q *question, f func(cluster.Shard, position, cluster.EventKey, letter) bool) error {
	more := true
	for _, id := range slices.Sorted(slices.Values(q.Shards)) {
		if q.After != nil && id < q.After.Shard || !more {
			continue
		}
		h, leads := d.options.Shards.Lead(id)
		if !leads {
			return fmt.Errorf("shard %d: %w", id, cluster.ErrLost)
		}
		receivers, err := h.Receivers(cluster.EventDead)
		if err != nil {
			return err
		}
		for _, receiver := range receivers {
			if !q.meant(receiver) || !more {
				continue
			}
			err := h.Events(cluster.EventDead, receiver, q.After.sequence(id, receiver), func(k cluster.EventKey, body []byte) bool {
				at := position{id, receiver, k.Sequence()}
				if l, err := parseLetter(body); err == nil && q.After.before(at) { // else the next prune forgets it
					more = f(h, at, k, l)
				}
				return more && ctx.Err() == nil
			})
			if err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// backlogs counts what waits. Only the dispatcher's goroutine calls it.
func (d *Dispatcher) backlogs(q *question, all map[uint64]*Backlog) {
	for _, id := range q.Shards {
		l := d.lanes[id]
		if l == nil {
			continue // led for less than a turn
		}
		for receiver, s := range l.streams {
			if !q.meant(receiver) || s.count == 0 {
				continue
			}
			b := of(all, receiver)
			b.Waiting += s.count
			if at := s.oldest(); !at.IsZero() && (b.Oldest == nil || at.Before(*b.Oldest)) {
				b.Oldest = &at
			}
		}
	}
	for id, r := range d.receivers {
		if why := d.why(id); why != "" && q.meant(r.id) {
			of(all, id).Why = why
		}
	}
}

func of(all map[uint64]*Backlog, receiver uint64) *Backlog {
	if all[receiver] == nil {
		all[receiver] = &Backlog{}
	}
	return all[receiver]
}

// dead is what operators see of a letter. The age is that of the event: a letter that was
// sent again counts as new.
func (l letter) dead(at position) DeadLetter {
	seen := DeadLetter{Position: at, ID: l.name(), Happened: l.Created, Died: l.Died, Attempts: l.Attempts, Why: l.Why}
	var b struct {
		Type      string
		Timestamp time.Time
	}
	if json.Unmarshal(l.JSON, &b) == nil {
		seen.Type, seen.Happened = b.Type, b.Timestamp
	}
	return seen
}

// replay lets dead letters wait again, with the same ids, as if they had happened now. What
// is known of their receivers' failures is forgotten, so that they are tried at once.
func (d *Dispatcher) replay(ctx context.Context, q question) (r report, err error) {
	marks := map[cluster.ShardID][]cluster.Mark{}
	q.After = nil
	err = d.dead(ctx, &q, func(h cluster.Shard, at position, k cluster.EventKey, l letter) bool {
		if q.ID != "" && l.name() != q.ID {
			return true
		}
		again := letter{Created: h.Now(), ID: l.ID, JSON: l.JSON} // by the time that ages it
		marks[at.Shard] = append(marks[at.Shard], cluster.Mark{Key: k, Fate: cluster.Queued, Body: again.encode()})
		return q.ID == ""
	})
	if err != nil || len(marks) == 0 {
		return r, err
	}
	for id, all := range marks {
		h, leads := d.options.Shards.Lead(id)
		if !leads {
			return r, fmt.Errorf("shard %d: %w", id, cluster.ErrLost)
		}
		for batch := range slices.Chunk(all, replayBatch) {
			if err := h.Commit(ctx, cluster.Commit{Marks: batch}); err != nil {
				return r, err
			}
			r.Queued += len(batch)
		}
	}
	return r, d.do(ctx, func() { d.forgive(q.Receivers) })
}

// replayBatch is how many dead letters a commit lets wait again: with their bodies they have
// at most 1 MiB.
const replayBatch = 256

// forgive forgets that receivers have failed.
func (d *Dispatcher) forgive(receivers []uint64) {
	for _, id := range receivers {
		if r := d.receivers[id]; r != nil {
			r.until, r.gone = time.Time{}, false
		}
	}
}

// do has the dispatcher's goroutine call f, and waits for that.
func (d *Dispatcher) do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case d.calls <- func() { f(); close(done) }:
		<-done
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-d.ctx.Done():
		return d.ctx.Err()
	}
}
