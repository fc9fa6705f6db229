// Package placement decides which nodes hold which shards, and moves them.
//
// Two tables of the meta shard are the goal: the nodes, whose ids are never used again, and
// the map of shards. Every node has a copy in its [Registry].
//
//	planner    on the leader of the meta shard: nodes -> map   (package plan)
//	mover      on the leader of each shard: map -> members of its group, which it
//	           registers before and after each change
//	janitor    on every node: replicas that are not assigned to it are removed, after
//	           their group's leader agreed
//	announcer  on every node: tells the others which shards it leads
//	contact    on every node: asks the leader of the meta shard for news
//	clock      on every node: compares its clock with the others'
//
// Nodes ask each other through [Calls]; [Placement.Serve] answers. A request may be
// repeated, and none waits for long.
//
// # Growing
//
// A node that joins asks any member with [Join], and the leader of the meta shard decides.
// It gets an id, the cluster's id and the addresses of the others. From then on the planner
// has it on the map, and the leaders of the shards bring it up to date. The second node gets
// learners only; when the third is up to date each shard goes from one voter to three in one
// change.
//
// # Losing
//
// The replicas of a node that was unreachable for [Settings.DeadAfter] are replaced on other
// nodes if there are any. A node that joins under the name of another replaces it under a
// new id; [Placement.Remove] gives a node up without a successor. Both happen only when it
// has been silent for [Config.SilentFor] and every group keeps a live majority without it,
// by the voters that the leaders of the groups have registered. [Placement.Margin] says how
// many more nodes may be lost.
//
// The registry has the certificates that each node was seen with. Those of a node that was
// given up without a successor are [Registry.Banned] until [Placement.Readmit].
//
// # Leaving
//
// [Placement.Drain] has a node hand over what it holds, if the others have room for it. When
// it is [Placement.Empty] its process steps aside and says that it [Placement.HasLeft]; from
// then on it is not waited for, until [Placement.Undrain].
//
// # Being cut off
//
// A node serves by tables that another one may have changed: a client is revoked, a key is
// gone. So it may serve for [Config.Lease] after its last contact with the leader of the
// meta shard ([Placement.InContact]), and that leader waits as long for a node that does not
// confirm before it answers a change that is [Config.Binding];
// cluster/placement/DESIGN.md#the-right-to-serve has the argument.
//
// # Clocks
//
// A node whose clock is over two seconds from the median of all nodes' hands its leaderships
// over and accepts none until it is within one: see [Placement.Skew]. So does one that is
// ahead of what a majority of voters' clocks allow. [ConfirmedTime] shares the time that has
// certainly passed, and [Placement.SetBack] sets the shards' times back.
//
// # Disks
//
// A node with a bad disk ([replica.Engine.Disk]) does the same until the disk has been well
// for a while, unless no other node can take over.
//
// # Leaders
//
// [View] is the node's view of all shards, including those of which it has no replica:
// leaders announce themselves to all nodes.
package placement
