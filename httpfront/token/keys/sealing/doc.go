// Package sealing keeps what is stored unreadable, and hands the key for that
// from node to node.
//
// A sealing key ([Key]) belongs to the whole cluster. Its number precedes everything sealed
// under it, so several can be in use; the one with the highest number is the current one.
// No node has it in a file, and none sends it to another: it is in the table whose records
// it seals, once for each node, sealed to that node's public key (HPKE, RFC 9180: DHKEM
// with X25519, HKDF-SHA-256, AES-256-GCM). The private key of a node is in a file next to
// its store and nowhere else. So the store of a node, its log and its messages open nothing
// without a node's file; and with any version of the table a node has the keys of that
// version. httpfront/token/keys/sealing/DESIGN.md#a-removal has the argument.
//
//	sealing/key/N    sealing key N, sealed to each node
//	sealing/node/ID  public key of a node, with the proof that it is one
//
// A [View] is what one node sees of that. [View.Step] is the next step; a node takes it on
// condition of the table's revision that it has seen, so that a slower node changes
// nothing.
package sealing
