// Package node puts a node together: it opens, connects and starts everything
// that package comments elsewhere only describe, and stops it in the opposite
// order.
//
//	secrets             files that nobody else may read; a founder makes the cluster's
//	admin listener      answers from the first moment on
//	membership          with --join and an empty directory: a member is asked for
//	                    an id and the others' addresses
//	store               locked directory, Pebble
//	network             other nodes are answered once the engine is there
//	shards, meta table  replicas of this node; the first node founds all of them
//	placement           where replicas belong, and who leads
//	sealing key         a file beside the store, to which other nodes seal the keys
//	key ring, clients   missing keys are made that take no time
//	actors              profiles and link directories
//	public listener     nothing is served that is not ready
//	keeper of the keys  makes what is missing of others, in the background
//
// Whatever was started is on the node's list with the way to end it, so a
// failure in the middle of a start leaves nothing behind.
//
// Each step of the start obeys its context and has a name, which a start that takes
// long tells: in the log every few seconds, in /readyz at any time.
//
// A node whose configuration has no secret of a cluster stays alone: nothing listens
// for others, and a directory that belongs to several nodes is refused. Otherwise the others hand it leaderships only when all of
// it is started.
//
// [Node.Stop] drains: /readyz says 503 while requests are still served for the
// drain delay, each the last on its connection, so that load balancers look
// elsewhere; then leaderships are handed over, the public listener refuses, requests in flight end, actors stop, the store is closed.
package node
