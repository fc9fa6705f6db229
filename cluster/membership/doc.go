// Package membership tells which nodes are there, by gossip
// (hashicorp/memberlist).
//
// What it says is a hint. A node that looks dead may be slow, and two nodes can
// disagree; who may lead or serve is decided by consensus alone. Hints are for
// finding each other, for dialing at once who came back, for asking at once who seems
// to be gone, for placing replicas where disks have room, and for showing an operator
// who is missing.
//
// A [Member] is a node's name with its incarnation, the start of its process: a
// node that starts again is another member, and the one before is dead as soon
// as the new one is seen at the same address. A member tells a little of itself,
// its [Meta]: where it listens, its version, how much of its disk is free. Those of
// another cluster are not let in; a node that does not know
// its cluster yet, because it is about to join, is.
//
// [Gossip.Members] returns what is known, in an order that is the same
// everywhere. [Gossip.Watch] calls back after it changed, on a goroutine that is
// not the gossip's, so that nobody can hold the gossip up.
//
// The addresses to join, and those of nodes that were lost without a farewell,
// are tried again until somebody answers: memberlist itself forgets a node after
// half a minute, and two sides of a long partition would never meet again.
//
// Everything is encrypted and authenticated under keys that are derived from the
// cluster's secret ([ssod/cluster/secret]), of which there may be several, the first
// for sending. [Gossip.SetKeys] changes them while the node runs.
package membership
