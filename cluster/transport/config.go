package transport

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"ssod/cluster/secret"
	"ssod/persistence"
	"ssod/persistence/level"
)

// Engine is what the network carries frames for. A [ssod/cluster/replica.Engine] is one.
// Only its methods for snapshots may block.
type Engine interface {
	// Deliver takes a frame, which is valid during the call. An error means that the
	// frame cannot be decoded, and ends the connection.
	Deliver(from NodeID, frame []byte) error
	// AdmitSnapshot refuses a snapshot of about size bytes that cannot be stored now.
	AdmitSnapshot(size uint64) error
	// DeliverSnapshot stores a file durably and takes the frame that goes with it. The
	// file is good only if reading it ends with io.EOF.
	DeliverSnapshot(from NodeID, name string, file io.Reader, frame []byte) error
	// Unreachable is called when frames to a node were lost.
	Unreachable(NodeID)
	// ConnectionLost is called when a node's process is gone.
	ConnectionLost(NodeID)
}

// Peer is a node as others know it.
type Peer struct {
	ID   NodeID
	Name string
	// Addr is where it listens, host:port.
	Addr string
}

// String returns name and id.
func (p Peer) String() string { return fmt.Sprintf("node %q (%d)", p.Name, p.ID) }

// Config says how to take part. Cluster, Node, Secrets and Listen are required.
type Config struct {
	// Cluster is the id of the cluster; nodes of another one are refused.
	Cluster string
	// Node is this node. An empty address in it means that of the listener.
	Node Peer
	// Boots are the starts of the node's data directory, this one last, and Durable is
	// the number of the newest write that is on its disk; promises to others must not
	// depend on a later one. They distinguish the node from a copy and from its own past.
	// nil: always 0.
	Boots   persistence.Boots
	Durable func() uint64
	// Levels are the format levels that this node's version knows, and Level is that of
	// the cluster, as far as the node knows. A node that does not know the level of the
	// other is refused with [ErrLevel], whichever of the two dials. The zero values mean
	// [level.Known] and [level.First].
	Levels level.Range
	Level  func() int
	// Notes are what Note kept of other nodes before this start; with sync it is durable.
	// nil: nothing is kept.
	Notes map[NodeID][]byte
	Note  func(id NodeID, note []byte, sync bool) error
	// Listen is the address to listen at; port 0 takes a free one.
	Listen string
	// Secrets are what both sides of a connection prove that they know. They may be
	// changed at any time.
	Secrets *secret.Ring
	// Credentials are for TLS; nil means no TLS: then connections can be read and changed
	// on their way.
	Credentials *Credentials
	// Permit refuses a node that has proven the secret and must not take part, with
	// [ErrRemoved], [ErrNode], [ErrUnregistered] or [ErrCertificate]. Its certificate is
	// for its name, and nil without TLS; an id of 0 is that of a node that has yet to
	// join. It is called for each connection and each ping. nil: none is refused.
	Permit func(p Peer, cert *x509.Certificate) error

	// MaxFrame bounds a frame in bytes; 0 means 64 MiB, the most that the engine takes;
	// it sends far shorter ones.
	MaxFrame int
	// Queue bounds the bytes that wait for one peer; 0 means 32 MiB. With less, frames
	// are dropped that a stalled connection could still carry; more costs memory for
	// each slow peer.
	Queue int
	// Ping is how often a peer is asked for its clock; 0 means 500 ms. Silence is how
	// long it may send nothing at all; 0 means 2 s. A slow peer must not be given up:
	// disks and schedulers stall for 140 ms.
	Ping, Silence time.Duration
	// Handshake bounds dialing and greeting; 0 means 3 s.
	Handshake time.Duration
	// SnapshotRate bounds the bytes of snapshots that leave per second, which share disks
	// and links with the frames; 0 means 32 MiB. A snapshot with a higher
	// [cluster.Snapshot.Rate] goes faster.
	SnapshotRate int
	// SnapshotWait is how long a snapshot waits for its turn at the receiver; 0 means one
	// minute.
	SnapshotWait time.Duration

	// Expelled is called when another node says that this one was removed, Claimed when a
	// node of another cluster takes this one for a member of it, Outdated when this one is
	// refused with [ErrOlder], [ErrTwice] or [ErrLevel], and Copied when another process,
	// at addr, was refused as this node. They must not block and may be nil.
	Expelled func(by Peer)
	Claimed  func(by Peer, cluster string)
	Outdated func(by Peer, why error)
	Copied   func(by Peer, addr string)

	// Dial opens a connection; nil means TCP.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Clock is the clock whose offsets are measured; nil means time.Now.
	Clock func() time.Time
	// Log gets what an operator should know; nil means slog.Default.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	c.MaxFrame = cmp.Or(c.MaxFrame, 64<<20)
	c.Queue = cmp.Or(c.Queue, 32<<20)
	c.Ping = cmp.Or(c.Ping, 500*time.Millisecond)
	c.Silence = cmp.Or(c.Silence, 2*time.Second)
	c.Handshake = cmp.Or(c.Handshake, 3*time.Second)
	c.SnapshotRate = cmp.Or(c.SnapshotRate, 32<<20)
	c.SnapshotWait = cmp.Or(c.SnapshotWait, time.Minute)
	c.Levels = cmp.Or(c.Levels, level.Known())
	c.Log = cmp.Or(c.Log, slog.Default())
	if c.Dial == nil {
		var d net.Dialer
		c.Dial = func(ctx context.Context, addr string) (net.Conn, error) { return d.DialContext(ctx, "tcp", addr) }
	}
	if c.Level == nil {
		c.Level = func() int { return level.First }
	}
	if c.Permit == nil {
		c.Permit = func(Peer, *x509.Certificate) error { return nil }
	}
	if c.Expelled == nil {
		c.Expelled = func(Peer) {}
	}
	if c.Claimed == nil {
		c.Claimed = func(Peer, string) {}
	}
	if c.Outdated == nil {
		c.Outdated = func(Peer, error) {}
	}
	if c.Copied == nil {
		c.Copied = func(Peer, string) {}
	}
	if c.Durable == nil {
		c.Durable = func() uint64 { return 0 }
	}
	if c.Note == nil {
		c.Note = func(NodeID, []byte, bool) error { return nil }
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// validate reports every mistake.
func (c *Config) validate() error {
	var errs []error
	check := func(ok bool, text string) {
		if !ok {
			errs = append(errs, errors.New(text))
		}
	}
	check(c.Cluster != "" && len(c.Cluster) <= maxString, "cluster: 1 to 255 bytes")
	check(c.Node.ID != 0, "node: id above 0")
	check(c.Node.Name != "" && len(c.Node.Name) <= maxString, "node: name of 1 to 255 bytes")
	check(c.Secrets != nil, "secrets: at least one")
	check(c.Boots.Number > 0, "boots: at least one start")
	check(len(c.Node.Addr) <= maxString, "node: address of at most 255 bytes")
	check(c.Ping < c.Silence, "ping: less than silence")
	return errors.Join(errs...)
}

// maxString is the longest string in a greeting.
const maxString = 255
