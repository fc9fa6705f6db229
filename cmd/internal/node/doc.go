// Package node puts a node together: it opens, connects and starts all its parts, and
// stops them in the opposite order.
//
//	secrets             private files; a founder makes the cluster's
//	admin listener      answers from the start
//	membership          with --join and an empty directory: a member is asked for
//	                    an id and the others' addresses
//	store               locked directory, Pebble
//	network             other nodes are answered once the engine runs
//	shards, meta table  replicas of this node; the first node founds all of them
//	placement           where replicas belong, and who leads
//	sealing key         a file next to the store, to which other nodes seal the keys
//	key ring, clients   missing keys that are quickly made
//	actors              profiles and link directories
//	public listener     opens when everything is ready
//	keeper of the keys  makes the other missing keys, in the background
//
// The node keeps a list of its started parts and how to end each, so a failure in the
// middle of a start leaves nothing behind. Each step of the start obeys its context and
// has a name, which a slow start shows: in the log every few seconds, in /readyz at any
// time.
//
// A node without a cluster secret stays alone: nothing listens for others, and a directory
// of several nodes is refused. Other nodes hand leaderships to a node only when all of it
// is started.
//
// [Node.Stop] drains: /readyz answers 503 while requests are still served for the drain
// delay, each the last on its connection, so that load balancers choose other nodes; then
// leaderships are handed over, the public listener closes, requests in flight end, actors
// stop, and the store is closed.
package node
