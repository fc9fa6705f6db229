// Package stream carries envelopes between the actors of the nodes of a cluster: small
// messages that only the two ends understand, in both directions of one connection.
//
// A [Node] listens at one address. A sender asks for the [Link] to the address of another
// node and sends on it; answers come back on the same link. A link is dialed for the first
// envelope, or is one that the other node dialed; when both dialed at once, that of the node
// with the lower id is used.
//
//	sender -> Link.Send -> batch -> one write ==TLS==> reader -> Receive
//	sender -> Link.Send -'
//
// [Link.Send] never waits. A sender writes itself unless another goroutine does, after it
// has let others run that may have something to send too; envelopes that come during a write
// go with the next one. What the socket does not take is left to a goroutine of the link. A
// link holds a bounded number of envelopes and bytes, and refuses more with [ErrFull].
//
// When a connection cannot be made or ends, [Config.Ended] is called at once and learns
// whether anything can have arrived. A silent link is pinged, and given up when no pong
// comes, see [Node.watch].
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
package stream
