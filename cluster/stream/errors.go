package stream

import "errors"

// Why a connection is refused. Each is also a reason in ssod_rpc_refused_total.
var (
	// ErrStranger: the other side is not, or not any more, a node of this cluster, or
	// another one than expected.
	ErrStranger = errors.New("not a node of this cluster")
	// ErrVersion: the frames are of another version.
	ErrVersion = errors.New("frames of another version")
	// ErrOversized: a frame is longer than any may be.
	ErrOversized = errors.New("frame too long")
	// ErrTruncated: the connection ended in the middle of a frame.
	ErrTruncated = errors.New("frame cut short")
	// ErrChecksum: a frame is not what was sent.
	ErrChecksum = errors.New("frame damaged")
	// ErrKind: an envelope is of an unknown kind.
	ErrKind = errors.New("envelope of unknown kind")
	// ErrEnvelope: a frame has malformed envelopes, or one cannot be decoded.
	ErrEnvelope = errors.New("malformed envelope")
)

// Why an envelope is not sent, or will not be answered.
var (
	// ErrDown: the other node cannot be reached now.
	ErrDown = errors.New("no connection to the node")
	// ErrFull: too much waits for the other node.
	ErrFull = errors.New("too much waits for the node")
	// ErrTooLong: the envelope is longer than [MaxEnvelope].
	ErrTooLong = errors.New("envelope too long")
	// ErrSilent: the other node gives no sign of life.
	ErrSilent = errors.New("no sign of life")
	// ErrClosed: this node has stopped.
	ErrClosed = errors.New("the node has stopped")
)

// errRefused says that the other node refused what this one sent.
var errRefused = errors.New("the other node refused the connection")
