// Package node puts a node together: it opens, connects and starts everything
// that package comments elsewhere only describe, and stops it in the opposite
// order.
//
//	admin listener      answers from the first moment on
//	store               locked directory, Pebble
//	sealing key         a file beside the store
//	shards, meta table  the only voter of each shard, this node leads all
//	key ring, clients   missing keys are made
//	actors              profiles and link directories
//	public listener     last: nothing is served that is not ready
//
// Whatever was started is on the node's list with the way to end it, so a
// failure in the middle of a start leaves nothing behind.
//
// [Node.Stop] drains: /readyz says 503 while requests are still served for the
// drain delay, so that load balancers look elsewhere; then the public listener
// refuses, requests in flight end, actors stop, the store is closed.
package node
