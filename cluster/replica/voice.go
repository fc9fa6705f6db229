package replica

import (
	"errors"
	"slices"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// Voice is which of its messages an engine sends to other nodes. The others count as
// lost, and promise nothing: votes and acknowledgements count when they are received.
type Voice int32

const (
	// Free: all.
	Free Voice = iota
	// Mute: none. Other nodes may know a later state of this node.
	Mute
	// MetaOnly: those of the meta shard, which must have a leader before anything can be
	// registered.
	MetaOnly
)

// errMute says that a snapshot may not be sent yet.
var errMute = errors.New("this node does not speak for the shard yet")

// Speak changes which messages are sent.
func (e *Engine) Speak(v Voice) { e.voice.Store(int32(v)) }

// speaks reports whether messages of a shard are sent.
func (e *Engine) speaks(shard core.ShardID) bool {
	v := Voice(e.voice.Load())
	return v == Free || v == MetaOnly && shard == cluster.MetaShard
}

// spokenFences are the fences that may be sent: a node that may have forgotten a vote
// must not say that it follows.
func (e *Engine) spokenFences(fs []core.Fence) []core.Fence {
	if Voice(e.voice.Load()) == Free {
		return fs
	}
	for i := range fs {
		fs[i].Terms = slices.DeleteFunc(fs[i].Terms, func(t core.Followed) bool { return !e.speaks(t.Shard) })
	}
	return fs
}

// spoken are the messages that may be sent.
func (e *Engine) spoken(all []core.Envelope) []core.Envelope {
	if Voice(e.voice.Load()) == Free {
		return all
	}
	return slices.DeleteFunc(all, func(m core.Envelope) bool { return !e.speaks(m.Shard) })
}
