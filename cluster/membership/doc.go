// Package membership finds the nodes that are there, by gossip (hashicorp/memberlist).
//
// Its results are hints. A node that looks dead may be slow, and two nodes can disagree;
// consensus alone decides which nodes may lead or serve. The hints are for finding each
// other, for dialing a node at once when it is back, for probing one that seems to be gone,
// for placing replicas where disks have room, and for showing operators what is missing.
//
// A [Member] is a node's name with its incarnation, the start of its process: a restarted
// node is another member, and the one before is dead as soon as the new one is seen at the
// same address. A member announces its [Meta]: where it listens, its version, how much of
// its disk is free. Members of another cluster are kept out, except nodes that do not know
// their cluster yet because they are about to join.
//
// [Gossip.Members] returns the known members in order. [Gossip.Watch] calls back after
// changes, in a goroutine of its own, so that callbacks do not hold up the gossip.
//
// The addresses to join, and those of nodes that were lost without leaving, are tried again
// until one answers: memberlist itself forgets a node after half a minute, and the two sides
// of a long partition would never meet again.
//
// Everything is encrypted and authenticated under keys that are derived from the
// cluster's secret ([ssod/cluster/secret]), of which there may be several, the first
// for sending. [Gossip.SetKeys] changes them while the node runs.
package membership
