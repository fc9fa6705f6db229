package replica

import (
	"bytes"
	"fmt"
	"io"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// install installs a received snapshot.
func (e *Engine) install(j *core.InstallJob) {
	e.installing <- struct{}{}
	defer func() { <-e.installing }()
	end := e.disk.side.begin(e.disk.now())
	a, err := e.cfg.Log.Install(j.Install)
	end()
	if err != nil {
		e.fail(err)
		return
	}
	e.meters.snapshot("installed")
	e.inbox.input(func(c *core.Core) { c.InstallDone(j, a) })
	if j.Shard == cluster.MetaShard {
		e.cfg.MetaApplied()
	}
}

// Deliver takes a frame from another node.
func (e *Engine) Deliver(from core.NodeID, frame []byte) error {
	if core.HasFences(frame) {
		return e.deliverFences(from, frame)
	}
	es, err := core.DecodeFrame(frame)
	if err != nil {
		return err
	}
	e.receive(input{from: from, messages: es, size: len(frame)})
	return nil
}

// receive takes the contents of a frame, in this goroutine if the turn is free.
func (e *Engine) receive(in input) {
	e.inbox.frame(in)
	if !e.turn.TryLock() {
		e.inbox.wake.Send()
		return
	}
	ended := e.advanceHeld(nil)
	e.appends.nudge()
	e.applies.nudge()
	conclude(ended)
}

func (e *Engine) deliverFences(from core.NodeID, frame []byte) error {
	fs, err := core.DecodeFences(from, frame)
	if err != nil {
		return err
	}
	e.receive(input{size: len(frame), do: func(c *core.Core) {
		for _, f := range fs {
			c.ReceiveFence(from, f)
		}
	}})
	return nil
}

// AdmitSnapshot refuses a snapshot of about size bytes for which there is no room.
func (e *Engine) AdmitSnapshot(size uint64) error { return e.cfg.Log.AdmitSnapshot(size) }

// DeliverSnapshot takes a snapshot from another node, its file and the frame with its
// message. When it returns nil both are here.
func (e *Engine) DeliverSnapshot(from core.NodeID, name string, file io.Reader, frame []byte) error {
	es, err := core.DecodeFrame(frame)
	if err != nil {
		return err
	}
	if len(es) != 1 || !bytes.Equal(es[0].Message.GetSnapshot().GetData(), []byte(name)) {
		return fmt.Errorf("snapshot %q: %w", name, core.ErrEntryFormat)
	}
	end := e.disk.side.begin(e.disk.now())
	err = e.cfg.Log.ReceiveSnapshot(name, file)
	end()
	if err != nil {
		return err
	}
	e.inbox.input(func(c *core.Core) {
		if !c.ReceiveSnapshot(from, es[0]) {
			_ = e.cfg.Log.DiscardSnapshot(name)
		}
	})
	return nil
}

// Unreachable reports that frames to a node are being lost.
func (e *Engine) Unreachable(n core.NodeID) {
	e.inbox.input(func(c *core.Core) { c.Unreachable(n) })
}

// ConnectionLost reports that the connection to a node was refused or reset.
func (e *Engine) ConnectionLost(n core.NodeID) {
	e.inbox.input(func(c *core.Core) { c.ConnectionLost(n) })
}
