package placement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/wait"
)

// clockTable has one record: the confirmed time of the cluster, from which a node that was
// away or is new learns how much time has passed.
const (
	clockTable   = "clock"
	confirmedKey = "confirmed"
)

// confirmEvery is how far the record may be off.
const confirmEvery = time.Hour

// Confirmed is the time that has certainly passed, as far as a node knows;
// [ssod/cluster/wallclock.Watch] is one.
type Confirmed interface {
	Confirmed() time.Time
	// Learn takes over a time that others confirmed.
	Learn(confirmed time.Time)
	// SetBack goes back to the clock, once for a decision made at a time.
	SetBack(at time.Time)
}

// ConfirmedTime keeps the record of the confirmed time in the tables of the meta
// shard and lets this node learn from it.
type ConfirmedTime struct {
	// Tables are those of the meta shard.
	Tables *meta.Store
	// Clock is this node's.
	Clock Confirmed
	// Leads reports whether this node leads the meta shard: it keeps the record.
	Leads func() bool
}

// Learn takes over the record.
func (c *ConfirmedTime) Learn() error {
	r, _, err := c.read()
	if err != nil {
		return err
	}
	if at := r.GetSetBackMs(); at != 0 {
		c.Clock.SetBack(time.UnixMilli(at))
	}
	c.Clock.Learn(time.UnixMilli(r.GetConfirmedMs()))
	return nil
}

func (c *ConfirmedTime) read() (r *ClockRecord, revision uint64, err error) {
	t := c.Tables.Read(clockTable)
	raw, _ := t.Get(confirmedKey)
	r = &ClockRecord{}
	if err := proto.Unmarshal(raw, r); err != nil {
		return nil, 0, fmt.Errorf("record of the confirmed time: %w", err)
	}
	return r, t.Revision(), nil
}

// Keep updates the record when it is [confirmEvery] behind, or ahead, as after a wrong time
// was set back.
func (c *ConfirmedTime) Keep(ctx context.Context) error {
	if !c.Leads() {
		return nil
	}
	r, revision, err := c.read()
	if err != nil {
		return err
	}
	now := c.Clock.Confirmed().UnixMilli()
	if off := time.Duration(now-r.GetConfirmedMs()) * time.Millisecond; off.Abs() < confirmEvery {
		return nil
	}
	r.ConfirmedMs = now
	return c.write(ctx, revision, r)
}

// Accept makes a time the confirmed one, on every node whose clock is not behind
// it. The caller knows that it is right.
func (c *ConfirmedTime) Accept(ctx context.Context, now time.Time) error {
	return c.change(ctx, func(r *ClockRecord) { r.ConfirmedMs = now.UnixMilli() })
}

// SetBack makes no later time the confirmed one, on any node.
func (c *ConfirmedTime) SetBack(ctx context.Context, now time.Time) error {
	return c.change(ctx, func(r *ClockRecord) {
		r.ConfirmedMs, r.SetBackMs = min(r.GetConfirmedMs(), now.UnixMilli()), now.UnixMilli()
	})
}

// change edits the record, again if another node was faster.
func (c *ConfirmedTime) change(ctx context.Context, edit func(*ClockRecord)) error {
	for {
		r, revision, err := c.read()
		if err == nil {
			edit(r)
			err = c.write(ctx, revision, r)
		}
		if !errors.Is(err, meta.ErrChanged) {
			return err
		}
	}
}

func (c *ConfirmedTime) write(ctx context.Context, revision uint64, r *ClockRecord) error {
	return c.Tables.Update(ctx, clockTable, revision, map[string][]byte{confirmedKey: encode(r)}, nil)
}

// RestoredClock is the record of a restored cluster, made of one of a meta table in a
// backup: its members are of the age that they had by the confirmed time of the old
// cluster, whatever the clocks of the new one say. Returns false if it is another record.
func RestoredClock(table, key string, value []byte) (record []byte, confirmed time.Time, ok bool, err error) {
	if table != clockTable || key != confirmedKey {
		return nil, time.Time{}, false, nil
	}
	r := &ClockRecord{}
	if err := proto.Unmarshal(value, r); err != nil {
		return nil, time.Time{}, false, fmt.Errorf("record of the confirmed time: %w", err)
	}
	confirmed = time.UnixMilli(r.GetConfirmedMs())
	return encode(&ClockRecord{ConfirmedMs: r.GetConfirmedMs()}), confirmed, true, nil
}

// Watch calls f when the record has changed.
func (c *ConfirmedTime) Watch(f func()) (stop func()) { return c.Tables.Watch(clockTable, f) }

// setBackPause is between two attempts at one shard: its leader may change, and one whose
// clock is off hands it over first.
const setBackPause = 100 * time.Millisecond

// SetBack sets the time of every shard back to what the clocks say, where it is later. It
// may be repeated.
func (p *Placement) SetBack(ctx context.Context) error {
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		for err := p.setBack(ctx, id); err != nil; err = p.setBack(ctx, id) {
			if ended := wait.Pause(ctx, setBackPause); ended != nil {
				return fmt.Errorf("set back the time of shard %d: %w", id, errors.Join(err, ended))
			}
		}
	}
	return nil
}

func (p *Placement) setBack(ctx context.Context, id cluster.ShardID) error {
	if _, leads := p.engine.Lead(id); leads {
		return p.engine.Reset(ctx, id)
	}
	n, err := p.leaderOf(id)
	if err == nil {
		_, err = p.call(ctx, n.ID, &Request{SetBack: &SetBackRequest{Shard: uint32(id)}})
	}
	return err
}
