// Package plan decides which nodes hold the replicas of shards and how a group gets there.
// It is pure: no clock, no network, no randomness.
//
// [Desired] makes the map of the whole cluster: the voters, learners and preferred leader of
// each shard. It changes as little as it can.
//
// [Next] takes one group one step towards its assignment. A replica joins as a learner,
// catches up, and becomes a voter together with all others that are to become one, in one
// joint change, by which others leave; a leader that is to leave hands its lead over first.
// At no time does a group depend on a replica that has not caught up.
//
// [MayLose] decides whether a node can be given up, by the registered groups ([Config]), and
// [Spare] how many more may be lost.
//
// Two nodes are a special case: two voters would stop at any death, so the second node has
// learners until there is a third. A cluster that shrinks from three to two keeps both
// voters.
package plan
