// Package placement decides and brings about which nodes hold which shards.
//
// Two tables of the meta shard say how it should be: the registry of nodes,
// whose ids are never used again, and the map of shards. Every node has them in
// its [Registry].
//
//	planner    on the leader of the meta shard: registry -> map   (package plan)
//	mover      on the leader of each shard: map -> members of its group, which it
//	           writes down before and after each change
//	janitor    on every node: replicas that the map does not have here are
//	           removed, after their group's leader agreed
//	announcer     on every node: tells the others which shards it leads
//	contact    on every node: asks the leader of the meta shard what is new
//	clock      on every node: compares its clock with the others'
//
// Nodes ask each other through [Calls]; [Placement.Serve] answers. A request
// may be repeated, and none waits for long.
//
// # Growing
//
// A node that joins asks any member with [Join], and the leader of the meta shard
// decides. It gets an id, the cluster's id and the addresses of the others. From then
// on the planner has it on the map, and the leaders of the shards bring it up to date.
// The second node only listens; when the third is up to date each shard goes from one
// voter to three in one change.
//
// # Losing
//
// A node that was unreachable for [Settings.DeadAfter] is replaced on other nodes
// where there are any. A node that joins under the name of another takes its
// place under a new id; [Placement.Remove] gives a node up without a successor.
// Both only when nobody has heard it for [Config.SilentFor] and every group keeps a
// live majority without it, by what the leaders of the groups have written down of
// their voters. [Placement.Margin] says how many more nodes may be lost.
//
// The registry has the certificates that each node was seen with, as the leader of the
// meta shard writes them down. Those of a node that was given up without a successor
// are [Registry.Banned] until [Placement.Readmit].
//
// # Leaving
//
// [Placement.Drain] has a node hand over what it holds, if the others have room for
// it. When it is [Placement.Empty] its process steps aside and says that it
// [Placement.HasLeft]; from then on nobody waits for it, until [Placement.Undrain].
//
// # Being cut off
//
// What a node serves rests on tables that another one may have changed: a client
// is revoked, a key is gone. So it may serve for [Config.Lease] after it was in
// contact with the leader of the meta shard, which is [Placement.InContact], and
// that leader waits as long for a node that does not confirm before it answers a
// change that is [Config.Binding]; cluster/placement/DESIGN.md#the-right-to-serve has the
// argument.
//
// # Clocks
//
// A node whose clock is over two seconds from the median of all nodes' hands its
// leaderships over and takes none until it is within one: see [Placement.Skew].
// So does one that is ahead of what a majority of voters' clocks allow.
// [ConfirmedTime] shares the time that has certainly passed, and
// [Placement.SetBack] sets the shards' times back.
//
// # Disks
//
// A node whose disk is slow, as [replica.Engine.Disk] says, does the same until it
// has been quick for a while, unless no other node takes its place.
//
// # Who leads what
//
// [View] is the node's view of all shards, the ones included that it has no
// replica of: leaders tell everybody.
package placement
