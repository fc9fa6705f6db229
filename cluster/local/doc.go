// Package local implements package cluster on one node that leads every shard
// for as long as it runs.
//
// Commits of all shards wait in one bounded queue. One goroutine takes what is
// waiting at that moment and hands it to the store as one round; another waits
// until the round is on disk and answers. While one round is synced the next is
// prepared and a third gathers, so the number of fsyncs follows the speed of
// the disk and not the load:
//
//	Commit -> queue -> gather: check revisions, write -> settle: fsync, answer
//
// How a commit ends:
//
//	nil          the store has synced it
//	ErrRejected  the store holds another revision
//	ErrRefused   closed, queue full, disk below its reserve, a broken limit, or
//	             the context ended before the commit left the queue
//	ErrUnknown   the context ended after that, or the write failed
//
// A failed write ends all leadership at once, and the store's Fatal callback
// ends the process. There is no other owner, so a read barrier costs nothing.
package local
