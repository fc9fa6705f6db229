package replica

import (
	"errors"
	"slices"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// Voice is what an engine says to other nodes. What it does not say it has not
// promised: a vote counts when it is heard, and so does an acknowledgement. To
// the others it looks as if those messages got lost.
type Voice int32

const (
	// Free: everything.
	Free Voice = iota
	// Mute: nothing. Other nodes may know of a later state of this node.
	Mute
	// MetaOnly: what concerns the meta shard, which must have a leader before
	// anything can be registered.
	MetaOnly
)

// errMute says that a snapshot may not be sent yet.
var errMute = errors.New("nothing is said of this shard yet")

// Speak changes what the engine says from now on.
func (e *Engine) Speak(v Voice) { e.voice.Store(int32(v)) }

// speaks reports whether anything is said of a shard.
func (e *Engine) speaks(shard core.ShardID) bool {
	v := Voice(e.voice.Load())
	return v == Free || v == MetaOnly && shard == cluster.MetaShard
}

// spokenFences are what may be said of fences. Who may have forgotten a vote must
// not say that it follows.
func (e *Engine) spokenFences(fs []core.Fence) []core.Fence {
	if Voice(e.voice.Load()) == Free {
		return fs
	}
	for i := range fs {
		fs[i].Terms = slices.DeleteFunc(fs[i].Terms, func(t core.Followed) bool { return !e.speaks(t.Shard) })
	}
	return fs
}

// spoken are the messages that may be said.
func (e *Engine) spoken(all []core.Envelope) []core.Envelope {
	if Voice(e.voice.Load()) == Free {
		return all
	}
	return slices.DeleteFunc(all, func(m core.Envelope) bool { return !e.speaks(m.Shard) })
}
