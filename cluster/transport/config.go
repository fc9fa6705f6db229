package transport

import (
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

// Engine takes what comes. A [ssod/cluster/replica.Engine] is one. None of the
// methods but those of snapshots may block.
type Engine interface {
	// Deliver takes a frame, which is valid during the call. An error means
	// that the sender speaks another language, and ends the connection.
	Deliver(from NodeID, frame []byte) error
	// AdmitSnapshot says why a snapshot of about so many bytes cannot be stored now;
	// nil: it can.
	AdmitSnapshot(size uint64) error
	// DeliverSnapshot stores a file durably and takes the frame that goes with
	// it. The file is good only if reading it ends with io.EOF.
	DeliverSnapshot(from NodeID, name string, file io.Reader, frame []byte) error
	// Unreachable hears that frames to a node were lost.
	Unreachable(NodeID)
	// ConnectionLost hears that a node's process is gone.
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
	// Boots are the starts of the node's data directory, this one last, and
	// Durable is the newest write that is on its disk, by a number that grows;
	// what was promised to others must not rest on a later one. They tell the
	// node from a copy of it, and from what it was before. nil: always 0.
	Boots   persistence.Boots
	Durable func() uint64
	// Levels are the format levels that this node's version knows, and Level is that
	// of the cluster, as far as the node knows. A node that does not know the level
	// of the other is refused with [ErrLevel], whichever of the two dials. Zero: as
	// in package level, and the first.
	Levels level.Range
	Level  func() int
	// Notes are what Note kept of other nodes, which it does durably with sync.
	// nil: nothing is kept.
	Notes map[NodeID][]byte
	Note  func(id NodeID, note []byte, sync bool) error
	// Listen is the address to listen at; port 0 takes a free one.
	Listen string
	// Secrets are what both sides of a connection prove that they know. They may
	// be changed at any time.
	Secrets *secret.Ring
	// Credentials are what TLS is done with; nil means no TLS: then whoever
	// carries a connection can read and change it.
	Credentials *Credentials
	// Permit says why a node that has proven the secret must not take part all the
	// same: [ErrRemoved], [ErrNode], [ErrUnregistered] or [ErrCertificate]. Its
	// certificate is for its name, and nil without TLS; an id of 0 is that of a
	// node that is yet to join. It is asked for each connection and with each
	// ping. nil: nobody is refused.
	Permit func(p Peer, cert *x509.Certificate) error

	// MaxFrame is the longest frame in bytes; 0 means 64 MiB, what the engine
	// takes at most; it sends far less in one.
	MaxFrame int
	// Queue is how many bytes may wait for one peer; 0 means 32 MiB. Less drops
	// frames that a stalled connection could still have carried, more is memory
	// for each peer that is slow.
	Queue int
	// Ping is how often a peer is asked for its clock; 0 means 500 ms. Silence
	// is for how long it may say nothing at all; 0 means 2 s. A peer that is
	// merely slow must not be given up: disks and schedulers stall for 140 ms.
	Ping, Silence time.Duration
	// Handshake bounds dialing and greeting; 0 means 3 s.
	Handshake time.Duration
	// SnapshotRate is how many bytes of snapshots leave per second; 0 means
	// 32 MiB. They share disks and links with the frames. One of a shard that is
	// written to faster than it would arrive goes faster.
	SnapshotRate int
	// SnapshotWait is how long a snapshot waits for its turn at the receiver;
	// 0 means one minute.
	SnapshotWait time.Duration

	// Expelled hears that another node says that this one was removed, Claimed
	// that a node of another cluster takes this one for a member of it, Outdated
	// that this one is refused with [ErrOlder], [ErrTwice] or [ErrLevel], and Copied that
	// another process, at addr, was refused as this node. They must not block;
	// nil: nobody wants to know.
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
	orDefault(&c.MaxFrame, 64<<20)
	orDefault(&c.Queue, 32<<20)
	orDefault(&c.Ping, 500*time.Millisecond)
	orDefault(&c.Silence, 2*time.Second)
	orDefault(&c.Handshake, 3*time.Second)
	orDefault(&c.SnapshotRate, 32<<20)
	orDefault(&c.SnapshotWait, time.Minute)
	if c.Dial == nil {
		var d net.Dialer
		c.Dial = func(ctx context.Context, addr string) (net.Conn, error) { return d.DialContext(ctx, "tcp", addr) }
	}
	if c.Levels == (level.Range{}) {
		c.Levels = level.Known()
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
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
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
	check(c.Secrets != nil, "secrets: one at least")
	check(c.Boots.Number > 0, "boots: one start at least")
	check(len(c.Node.Addr) <= maxString, "node: address of at most 255 bytes")
	check(c.Ping < c.Silence, "ping: less than silence")
	return errors.Join(errs...)
}

// maxString is the longest string in a greeting.
const maxString = 255
