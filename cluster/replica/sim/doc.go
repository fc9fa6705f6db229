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
// After every step it checks what must hold at any time:
//
//   - a term of a shard has one leader (raft thesis 3.4, election safety);
//   - the entry at an index is the same on every node that applies it (3.6.1);
//   - the state after an index is the same on every node that applied it;
//   - a node has on disk what it votes and acknowledges, and has it again after
//     every crash (3.8);
//   - a commit that was rejected or refused never happens;
//   - a clock that is ahead of all others moves no shard's time, and nothing that
//     was decided before a shard's time was set back is applied after it.
//
// At the end it heals everything, expects every shard to make progress and all
// members to agree, and checks that what each client saw of each entity is
// linearizable.
package sim
