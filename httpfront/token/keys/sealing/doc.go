// Package sealing keeps what is stored unreadable, and hands the key for that
// from node to node.
//
// A sealing key ([Key]) is one of the whole cluster. It has a number, which is in
// front of whatever is sealed under it, so several can be in use; the one with the
// highest number is the current one. No node has it in a file, and none sends it to
// another: it lies in the table whose records it seals, once for each node, sealed
// to that node's public key (HPKE, RFC 9180: DHKEM with X25519, HKDF-SHA-256,
// AES-256-GCM). The private key of a node is in a file beside its store and nowhere
// else. So the store of a node, its log and what it sends open nothing
// without a file of one node; and whatever version of the table a node has, it has
// the keys of that version. httpfront/token/keys/sealing/DESIGN.md#a-removal has the
// argument.
//
//	sealing/key/N    sealing key N, sealed to each node
//	sealing/node/ID  public key of a node, with the proof that it is one
//
// A [View] is what one node sees of that. [View.Step] says what is to be done next;
// whichever node does it changes the table on condition of the revision that it has
// seen, so that one who was slower has done nothing.
package sealing
