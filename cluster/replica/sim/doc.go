// Package sim runs a whole cluster of replication engines in one goroutine, on
// virtual time, and breaks it on purpose.
//
// A seed decides everything: how long each message, write and round takes, what
// the network loses, delays, repeats and cuts off, which node crashes with how
// much of its unsynced data, whose clock is wrong or leaps by minutes to years, whose disk is slow or lost,
// which members change, and what the clients ask. The same seed gives the same
// run, provided crypto/rand is seeded too (raft draws its election timeouts
// from it): see testing/cryptotest.
//
// Runs with [Options.Joins] have a few machines and operators in a hurry: a
// machine is started on an empty disk while another one has not caught up after the
// same, a second process has the name of a paused node, the disk of a member is
// lost for good, growth from one node to three is interrupted, somebody asks that a
// node be removed, and whoever asked has gone when the answer comes. Who is taken
// in and who is given up is decided with the functions of package plan by the
// leader of the meta shard, on a registry that is an entity of that shard.
//
//	joins.go     machines, and what operators do to them
//	registry.go  what the meta shard remembers of nodes and groups
//	steward.go   whom a node hears, and how it moves the groups that it leads
//	decide.go    who may be given up
//
// Runs with [Options.Scales] have five machines, six or, in three zones, nine, of
// which some join, and operators who drain nodes and take them back, two at a time if
// it so happens. Zones go dark. Whoever has left votes in no group, and in the end listens to
// the meta shard alone; and then no zone has a majority of any group where there are
// three.
//
//	scale.go     drains, who may leave, zones
//
// What the cluster grants must leave every shard a majority, which shows in the
// end, when operators have put back all disks but those that are gone or whose
// nodes were given up. And no leader gives up a node that it hears, or that most
// others have heard lately. (A decision
// that is in flight when the leader loses its majority may still be committed by
// the next one, as any commit whose outcome is unknown. Who makes it possible may be
// the very node that is given up; nothing is lost by that.)
//
// After every step it checks what must hold at any time:
//
//   - a term of a shard has one leader (raft thesis 3.4, election safety);
//   - the entry at an index is the same on every node that applies it (3.6.1);
//   - the state after an index is the same on every node that applied it;
//   - a node has on disk what it votes and acknowledges, and has it again after
//     every crash (3.8);
//   - a commit that was rejected or refused never happens;
//   - who is told by a fence, or by the word that a read came with, that it leads has no successor that was elected before
//     it asked;
//   - a clock that is ahead of all others moves no shard's time, and nothing that
//     was decided before a shard's time was set back is applied after it.
//
// At the end it heals everything, expects every shard to make progress and all
// members to agree, and checks that what each client saw of each entity is
// linearizable.
package sim
