// Package sim runs a whole cluster of replication engines in one goroutine, on
// virtual time, and breaks it on purpose.
//
// A seed decides everything: how long each message, write and round takes, what the network
// loses, delays, repeats and cuts off, which node crashes with how much of its unsynced data,
// which clocks are wrong or leap by minutes to years, which disks are slow or lost, which
// members change, and what the clients ask. The same seed gives the same run, provided
// crypto/rand is seeded too (raft draws its election timeouts from it): see
// testing/cryptotest.
//
// Runs with [Options.Joins] have a few machines and hasty operators: a machine is started on
// an empty disk while another one has not caught up after the same, a second process has the
// name of a paused node, the disk of a member is lost for good, growth from one node to three
// is interrupted, and the sender of a request to remove a node is gone when the answer comes.
// The leader of the meta shard decides which nodes are admitted and given up with the
// functions of package plan, on a registry that is an entity of that shard.
//
//	joins.go     machines, and what operators do to them
//	registry.go  what the meta shard remembers of nodes and groups
//	steward.go   which nodes a node hears, and how it moves the groups that it leads
//	decide.go    which nodes may be given up
//
// Runs with [Options.Scales] have five machines, six or, in three zones, nine, of which some
// join, and operators who drain nodes and take them back, sometimes two at a time. Zones go
// dark. A node that has left votes in no group, and in the end has a learner of the meta shard
// only; and then no zone has a majority of any group where there are three.
//
//	scale.go     drains, leaving, zones
//
// What the cluster grants must leave every shard a majority, which shows in the end, when
// operators have put back all disks but those that are gone or whose nodes were given up. And
// no leader gives up a node that it hears, or that most others have heard lately. (A decision
// that is in flight when the leader loses its majority may still be committed by the next
// one, as any commit whose outcome is unknown, even because the node that is given up is
// back; nothing is lost by that.)
//
// After every step it checks what must hold at any time:
//
//   - a term of a shard has one leader (raft thesis 3.4, election safety);
//   - the entry at an index is the same on every node that applies it (3.6.1);
//   - the state after an index is the same on every node that applied it;
//   - a node has on disk what it votes and acknowledges, and has it again after
//     every crash (3.8);
//   - a commit that was rejected or refused never happens;
//   - a leader that a fence or a voucher confirms has no successor that was elected before it
//     asked;
//   - a clock that is ahead of all others moves no shard's time, and nothing that
//     was decided before a shard's time was set back is applied after it.
//
// At the end it heals everything, expects every shard to make progress and all
// members to agree, and checks that what each client saw of each entity is
// linearizable.
package sim
