// Package stream carries envelopes between the actors of the nodes of a cluster:
// small messages, of which nobody but the two ends knows what they mean, in both
// directions of one connection.
//
// A [Node] listens at one address. Who has something for another node asks for the
// [Link] to its address and sends on it; what answers comes back on the same link.
// A link is dialed when the first envelope is for it, or is one that the other node
// dialed; when both dialed at once, the one of the node with the lower id is used.
//
//	sender -> Link.Send -> batch -> one write ==TLS==> reader -> Receive
//	sender -> Link.Send -'
//
// [Link.Send] never waits. Who sends while nobody writes writes himself, after he
// has let those run that may have something to send too; what comes while a write
// runs goes with the next one. Nobody waits for a socket that takes nothing more:
// the rest is left to a goroutine of the link. A link holds a bounded number of
// envelopes and bytes, and refuses what is more with [ErrFull].
//
// When a connection cannot be made or ends, [Config.Ended] is told at once, and
// whether anything can have arrived. A link on which nothing comes back is asked for
// a sign of life and is given up when that does not come, see [Node.watch].
//
// # Wire
//
// A connection begins with TLS, if the nodes have certificates, and then, with or
// without it and on loopback too, both sides prove that they know the cluster's
// secret ([ssod/cluster/proof]). Their statements say who they are ([Papers]):
//
//	1 | to uint32 | from uint32 | cluster | name     strings: length uint16, bytes
//	2 | why the other one is refused
//
// Then come frames, integers are big endian:
//
//	length uint32 | version byte | CRC-32C uint32 | envelope+
//	envelope: length uvarint | kind byte | payload
//
// The first length counts all that follows it, the second kind and payload. A frame
// of another version, one that is too long, damaged or cut short, an envelope of
// unknown kind or one that [Config.Receive] cannot read ends the connection: with a
// refusal to the other side, a line in the log and a count (ssod_rpc_refused_total).
// Who waits for something on it is told, and asks again.
package stream
