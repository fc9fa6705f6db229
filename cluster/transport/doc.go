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
// A connection begins with TLS, if the nodes have certificates, and then, with or
// without it and on loopback too, both sides prove that they know the cluster's
// secret: see package [ssod/cluster/proof]. Their statements there are greetings:
//
//	kind byte | purpose byte | to uint32 | from uint32 |
//	durable uint64 | oldest uint16 | newest uint16 | level uint16 |
//	starts | cluster | name | address     strings: length byte, bytes
//
// The starts are those of the sender's data directory since the last one that the
// registry has ([ssod/persistence.Boots]), durable is how far its disk is. With
// them a node is told from a copy of itself and from what it was before: see
// "Who is a node". Oldest and newest are the format levels that the sender's version
// knows, level is that of the cluster as far as it knows; a node that does not know the
// level of the other is refused ([ErrLevel]) before a frame is read.
//
// A stranger, who does not prove the secret, hears nothing: no name, no cluster, no
// reason. A node of another cluster, one that was removed or is not in the registry
// ([Config.Permit]), or one that wants somebody else has proven it, and is told why
// in a refusal, which is no greeting and as well proven. With TLS both sides present
// certificates of the cluster's authority, and each must be for the node name in the
// greeting.
//
// After it, by purpose:
//
//	frames     raft | ping time, durable -> pong time, time, time
//	                                     -> copied address
//	snapshot   reserve size -> go, offer, chunk*, end (size, xxhash64) -> done
//	call       (request -> answer)*
//	join       request -> answer, from a node that has no id and no cluster yet
//
// Instead of anything a refusal may come, which ends the connection. Who is
// permitted is asked again with each ping.
//
// # Strangers
//
// A connection on which nothing is proven yet costs some 10 KB, and 3 s at most
// ([Config.Handshake]). There may be 16 of one source and 128 of all; beside these
// each address that a node is known at has room for 64. Where there is no room the
// oldest has to go, not the one that comes. So whoever says nothing keeps nobody
// out, not even from a node's own address, and a node gets through as long as fewer
// than that come in the few milliseconds that it needs. A connection that is ended in
// the middle of a handshake is no sign that a process is gone.
//
// A snapshot has a connection of its own, so it never stands before a heartbeat.
// The sender keeps below a rate, a node receives two at a time and the rest wait;
// the file is handed to the engine as a stream that ends in an error unless size
// and checksum are right, so a torn one is never taken for whole.
//
// # Who is a node
//
// A process is a node if its directory was there at the start of the node that
// was met last, or that the registry has, and lacks nothing that this one said was
// on its disk. Any other is a copy from before, and is refused as older; the
// process that is refused hears so ([Config.Outdated]) and must end. A start that
// follows the one that is connected is taken in when that one's connection has
// ended or it has been silent for [Config.Silence]; as long as it lives the other
// is refused, and the one that lives is told where that was ([Config.Copied]).
//
// Whom a node takes in it has noted on its disk first ([Config.Note]), and nothing
// of an earlier incarnation is delivered any more.
// cluster/transport/DESIGN.md#the-order-of-a-start has the argument.
//
// # Clocks
//
// A pong has the time at which the ping came and the time at which the pong left,
// by the other node's clock: NTP's four time stamps (RFC 5905, 8), of which this
// node takes its own two from a clock that nobody can set. [Network.Clock] follows,
// and [Network.Offset], in which a step of this node's clock shows at once and one
// of the other's after four pings.
package transport
