// Package transport carries what the nodes of a cluster say to each other:
// frames of raft messages, which may be lost, and snapshots, which arrive whole
// or not at all.
//
// A node listens at one address and dials every other node. What A sends to B
// goes over the connection that A dialed, so each pair has two, and each
// direction fails on its own:
//
//	loop -> Send -> queue -> writer ==TLS==> reader -> Engine.Deliver
//	                         ping   ------->
//	                         clock  <-------  pong
//
// [Network.Send] never waits. A queue is bounded in bytes; what does not fit, or
// is for a node that cannot be reached, is dropped, and the engine learns that
// the node is Unreachable. A connection that was refused or reset means that the
// process at the other end is gone: the engine hears ConnectionLost and need not
// wait for a timeout. A process that is paused or cut off answers no ping, and
// after [Config.Silence] the connection is given up, which is only Unreachable.
//
// # Wire
//
// Everything is a frame, integers are big endian:
//
//	length uint32 | kind byte | payload      length counts kind and payload
//
// The first frame of a connection, in both directions, is the greeting:
//
//	"ssod" | version uint16 | purpose byte | to uint32 | from uint32 |
//	incarnation uint64 | cluster | name | address     strings: length byte, bytes
//
// A node of another cluster or version, one that was removed, or one that wants
// somebody else is told so in a refusal and learns nothing. With TLS (always,
// except on loopback) both sides present certificates of the cluster's authority,
// and each must be for the node name in the greeting.
//
// After it, by purpose:
//
//	frames     raft | ping time -> pong time, time, time
//	snapshot   offer -> go, chunk*, end (size, xxhash64) -> done
//	call       (request -> answer)*
//	join       request -> answer, from a node that has no id and no cluster yet
//
// Instead of anything a refusal may come, which ends the connection.
//
// A snapshot has a connection of its own, so it never stands before a heartbeat.
// The sender keeps below a rate, a node receives two at a time and the rest wait;
// the file is handed to the engine as a stream that ends in an error unless size
// and checksum are right, so a torn one is never taken for whole.
//
// # Clocks
//
// A pong has the time at which the ping came and the time at which the pong left,
// by the other node's clock: NTP's four time stamps (RFC 5905, 8), of which this
// node takes its own two from a clock that nobody can set. [Network.Clock] follows,
// and [Network.Offset], in which a step of this node's clock shows at once and one
// of the other's after four pings.
package transport
