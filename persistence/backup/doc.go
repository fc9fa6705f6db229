// Package backup is the format of backups: what is in one, and how the file of one is
// encrypted.
//
// A backup is a stream of frames, each a protobuf message behind its length. One
// describes the whole, then come the shards, and the last one says that nothing is
// missing:
//
//	Header
//	Begin 1, Entity, Record, Record, Entity, ... ShardEnd    shard by shard
//	...
//	Begin 0, Entity, Record, ...                 ShardEnd    the meta shard
//	End
//
// Records belong to the entity before them. A ShardEnd has the number of frames in its
// shard and their SHA-256, from the node that read them from its store, so a change on
// the way is detected. A stream that ends without End is incomplete, and one that ends
// with a Failure says why.
//
// The meta shard comes last: what the other shards rest on, a key or a revocation, is
// then never older in a backup than what rests on it.
//
// There are no outcomes: a request is repeated within a minute, at the same cluster.
// persistence/backup/DESIGN.md#what-a-new-cluster-begins-with says what else is left out.
//
// # Encryption
//
// Outside of a node's memory a backup is encrypted with age (age-encryption.org/v1): a
// file under a passphrase ([Seal], [Open]), a stream under a key that the client made for
// it ([Key], [SealTo]). So the node does not learn the passphrase, and an eavesdropper or
// the holder of the file learns nothing without it. Chunks of 64 KiB are authenticated:
// every byte that a reader returns was written, at its position; whether the end is
// missing is known at the end. age -d opens such a file too.
package backup
