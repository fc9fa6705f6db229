// Package faulty implements package cluster in memory and injects every outcome
// that its users must survive. All entities and flows are tested on it.
//
// A [Truth] is what a cluster has stored and which nodes lead. A [Node] is one
// node's view of it and implements [cluster.Shards]; start one runtime on each.
//
//	truth := faulty.New(faulty.Options{Commits: faulty.Script(faulty.UnknownDone)})
//	node := truth.Node("a:1") // the first node leads every shard
//	shard, _ := node.Lead(1)
//	err := shard.Commit(ctx, c) // ErrUnknown, although it is written
//
// Without faults it behaves as cluster/replica does on a node that is alone; the
// suite in cluster/shardtest runs on both.
//
// # Faults of commits
//
// [Options.Commits] chooses a [Fault] for each commit: a [Script], a [Seeded]
// source or any function. To drive it with rapid, draw the faults first and
// pass them as a script:
//
//	faults := rapid.SliceOfN(rapid.SampledFrom(faulty.Faults), 0, 50).Draw(t, "faults")
//	truth := faulty.New(faulty.Options{Commits: faulty.Script(faults...)})
//
// The injected outcomes are honest. A rejected commit finds that another owner
// has changed the entity, so its revision has grown. An unknown commit is
// either written or never will be.
//
// # Leadership
//
// [Truth.Move] hands a shard over, or with a nil node leaves it without a
// leader. [Truth.Flap] ends a term and the same node leads in the next.
// [Truth.Usurp] makes two owners at once: another node leads, and the old one
// does not know. Its handle is not lost, its reads show what was stored then,
// its commits end refused or unknown without being written, and its barriers
// fail. [Truth.Notice] lets it learn.
package faulty
