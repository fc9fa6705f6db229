// Package plan decides where the replicas of shards belong and how a group gets
// there. It is pure: no clock, no network, no randomness, so every node that
// knows the same comes to the same result.
//
// [Desired] makes the map of the whole cluster: who votes in each shard, who
// only listens, and who should lead. It changes as little as it can.
//
// [Next] takes one group one step towards its place on the map. A replica joins
// as a learner, catches up, and becomes a voter together with all others that
// are to become one, in one joint change; what is to go leaves in the same
// change; a leader that is to go hands its lead over first. At no moment does a
// group depend on a replica that has not caught up.
//
// [MayLose] decides whether a node can be given up, by what leaders have written
// down of their groups ([Config]), and [Spare] how many more may be lost.
//
// Two nodes are a special case: two voters would stop at any death, so the
// second node only listens until there is a third. A cluster that shrinks from
// three to two keeps both voters.
package plan
