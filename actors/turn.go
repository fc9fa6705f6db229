package actors

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// Turn is one command being handled by an entity. It is used only inside the
// entity's turns (Receive, Tick and the functions passed to Begin).
type Turn struct{}

// Command is the command; nil in Tick.
func (t *Turn) Command() proto.Message { panic("stub") }

// Request and Step identify the request for outcomes.
func (t *Turn) Request() cluster.RequestID { panic("stub") }

// Step numbers this ask among those of the same request.
func (t *Turn) Step() uint32 { panic("stub") }

// Now is the time that decisions use.
func (t *Turn) Now() time.Time { panic("stub") }

// Fenced reports whether a read barrier began after the command arrived here
// and has passed, so that an answer from memory is not stale.
func (t *Turn) Fenced() bool { panic("stub") }

// Fence delivers the command again after a read barrier. The turn ends.
func (t *Turn) Fence() { panic("stub") }

// Reply answers the command. Later calls do nothing.
func (t *Turn) Reply(m proto.Message) { panic("stub") }

// Fail answers with an error of this package or of package cluster.
func (t *Turn) Fail(err error) { panic("stub") }

// Defer keeps the turn open after Receive returns: Reply, Fail or Fence is
// called in a later turn of the same entity.
func (t *Turn) Defer() { panic("stub") }

// Change carries out a decision: it commits with the reply as the request's
// outcome, calls Applied, then replies. A decision without a commit is
// answered at once when the turn is fenced, else after a fence and a second
// decision. When the outcome of the commit is unknown or rejected the entity
// is loaded afresh and the command delivered again if its deadline allows.
func (t *Turn) Change(d Decision) { panic("stub") }

// Begin starts a commit and returns at once; then runs in a later turn of the
// entity. Only one commit of an entity is in flight at a time. The runtime
// fills in Entity and BaseRev; the outcomes are the entity's own. After an
// error the entity is loaded afresh; then must fail what waits for it.
func (t *Turn) Begin(c cluster.Commit, then func(t *Turn, err error)) { panic("stub") }

// Recorded returns the answer that an earlier delivery of this request and
// step was given, if it made a change. Change looks itself; an entity that
// batches with Begin asks before it decides.
func (t *Turn) Recorded() (proto.Message, bool) { panic("stub") }

// Outcome is reply as the outcome of this turn's request and step, for the
// commits of Begin.
func (t *Turn) Outcome(reply proto.Message) cluster.Outcome { panic("stub") }
