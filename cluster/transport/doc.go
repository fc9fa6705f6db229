// Package transport connects the nodes of a cluster: it carries frames of raft messages,
// which may be lost, snapshots, which arrive whole or not at all, and requests.
//
// A node listens at one address and dials every other node. A sends to B over the
// connection that A dialed, so each pair has two, and each direction fails on its own:
//
//	loop -> Send -> queue -> writer ==TLS==> reader -> Engine.Deliver
//	                         ping   ------->
//	                         clock  <-------  pong
//
// [Network.Send] never waits. A queue is bounded in bytes; frames that do not fit, or are
// for a node that cannot be reached, are dropped, and the engine learns that the node is
// Unreachable. A connection that was refused or reset means that the process at the other
// end is gone: the engine learns of ConnectionLost and need not wait for a timeout. A
// process that is paused or cut off answers no ping, and after [Config.Silence] the
// connection is given up, which is only Unreachable.
//
// # Wire
//
// Everything is a frame, integers are big endian:
//
//	length uint32 | kind byte | payload      length counts kind and payload
//
// A connection begins with TLS, if the nodes have certificates, and then, with or
// without it and on loopback too, both sides prove that they know the cluster's
// secret: see package [ssod/cluster/proof]. Their statements there are greetings:
//
//	kind byte | purpose byte | to uint32 | from uint32 |
//	durable uint64 | oldest uint16 | newest uint16 | level uint16 |
//	starts | cluster | name | address     strings: length byte, bytes
//
// The starts are those of the sender's data directory since the last one that the
// registry has ([ssod/persistence.Boots]), durable is the newest write on its disk. They
// distinguish a node from a copy of it and from its own past: see "Who is a node". Oldest
// and newest are the format levels that the sender's version knows, level is that of the
// cluster as far as it knows; a node that does not know the level of the other is refused
// ([ErrLevel]) before a frame is read.
//
// A stranger that does not prove the secret learns nothing: no name, no cluster, no reason.
// A node that has proven it and is of another cluster, removed, unregistered
// ([Config.Permit]) or connected to the wrong node gets a refusal with the reason, proven
// like a greeting. With TLS both sides present certificates of the cluster's authority, and
// each must be for the node name in the greeting.
//
// After it, by purpose:
//
//	frames     raft | ping time, durable -> pong time, time, time
//	                                     -> copied address
//	snapshot   reserve size -> go, offer, chunk*, end (size, xxhash64) -> done
//	call       (request -> answer)*
//	join       request -> answer, from a node that has no id and no cluster yet
//
// At any time a refusal may come instead, which ends the connection. Permission is checked
// again with each ping.
//
// # Strangers
//
// A connection on which nothing is proven yet costs some 10 KB for at most 3 s
// ([Config.Handshake]). There may be 16 of one source and 128 of all, and in addition 64 of
// each address at which a node is known. When there is no room the oldest is evicted. So
// silent connections keep no node out, not even from the node's own address, and a node gets
// through unless strangers fill the room in the few milliseconds that it needs. A connection
// that is ended in the middle of a handshake does not mean that a process is gone.
//
// A snapshot has a connection of its own, so it never delays a heartbeat. Senders limit their
// rate, a node receives two at a time and the others wait; the engine reads the file as a
// stream that ends in an error unless size and checksum are right, so a torn file never
// counts as whole.
//
// # Who is a node
//
// A process is a node if its directory has the start of the node that was met last, and the
// registered one, and lacks nothing that these said was on their disk. Any other is an old
// copy and is refused as older; the refused process learns that ([Config.Outdated]) and must
// end. A start that follows the connected one is taken in when the connection of that has
// ended or has been silent for [Config.Silence]; as long as it is alive the other one is
// refused, and the live one learns where that was ([Config.Copied]).
//
// A node notes on its disk which incarnation it takes in ([Config.Note]) before it does, and
// delivers nothing of an earlier one any more.
// cluster/transport/DESIGN.md#the-order-of-a-start has the argument.
//
// # Clocks
//
// A pong has the time at which the ping came and the time at which the pong left, by the
// other node's clock: NTP's four time stamps (RFC 5905, 8), of which this node takes its own
// two from the monotonic clock. [Network.Clock] and [Network.Offset] follow from them: a step
// of this node's clock shows at once and one of the other's after four pings.
package transport
