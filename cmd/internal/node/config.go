package node

import (
	"cmp"
	"log/slog"
	"net"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd/saml"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/platform"
	"ssod/httpfront/wire"
)

// Config is how one node is started: its flags, checked.
type Config struct {
	// File is the configuration file; empty: the built-in demo configuration.
	File string
	// Data is the data directory.
	Data string
	// Name is the node's name as the operator gave it; empty: the one in the
	// data directory, DefaultName when that is new.
	Name, DefaultName string

	// HTTP and Admin are the addresses of the listeners; port 0 takes a free
	// one. Health is another, without authentication; empty: none.
	HTTP, Admin, Health string
	// AdminTokens is the file of the bearer tokens of the admin listener, which a
	// reload reads again; empty: it needs none.
	AdminTokens string
	// AdminTLS serves the admin listener with the public certificate.
	AdminTLS bool
	// TLSCert and TLSKey are of the public listener; empty: plain HTTP.
	TLSCert, TLSKey string
	// ReadTimeout, WriteTimeout and IdleTimeout are those of connections to the public
	// listener: to receive a request, to send its answer, and between two requests. 0:
	// as in wire.DefaultLimits.
	ReadTimeout, WriteTimeout, IdleTimeout time.Duration

	// Gossip, RPC and Raft are where the node listens for others: membership,
	// actor messages, replication. Without Secret nothing listens there and the
	// node stays alone; RPC is then its name among actors and nothing more.
	Gossip, RPC, Raft string
	// Advertise is the host that other nodes dial; empty: that of RPC.
	Advertise string
	// Zone names what fails together with the node; empty: unknown.
	Zone string
	// Join are gossip addresses of nodes to join; one may be this node's own. With an
	// empty data directory the node founds a cluster without any, else only when an
	// operator says so.
	Join []string
	// Replicas and DeadAfter are settings of a cluster that the node founds, see
	// [placement.Settings]; 0 means the default. On another cluster's node they have no
	// effect.
	Replicas  int
	DeadAfter time.Duration
	// SilentFor is how long a node must be silent before another one takes its name, or
	// it is removed; 0 means 30 s.
	SilentFor time.Duration
	// Lease is how long the node serves without contact to the leader of the meta shard,
	// the same on all nodes; 0 means ten seconds.
	Lease time.Duration
	// Secret is the file of the cluster's secret, which a reload reads again. A node that
	// founds a cluster on an empty data directory makes it; empty: the node is alone.
	Secret string
	// PeerCert, PeerKey and PeerCA are the files of mutual TLS between nodes; empty: no
	// TLS, for loopback addresses only.
	PeerCert, PeerKey, PeerCA string

	// Shards is the number of shards of a new cluster; 0 means 64.
	Shards int
	// Signers is how many media tokens are signed at once; 0 means one for each
	// CPU. Each takes one of Go's processors for a millisecond or two.
	Signers int
	// Reserve is the free disk space in bytes below which changes are refused;
	// 0 means 256 MiB.
	Reserve uint64
	// Memory is the size of the process in bytes, shared by entities, waiting commands,
	// unflushed changes and more; 0 means 512 MiB.
	Memory int64
	// Cache is the size of the cache of what is read from disk, in bytes; 0 means 64 MiB.
	Cache int64
	// DrainDelay is how long requests are still served after /readyz has turned 503.
	DrainDelay time.Duration
	// Clock is the node's clock, by which it stores and signs and which others compare
	// with theirs; nil means time.Now.
	Clock func() time.Time
	// Log is the node's log; nil: slog.Default.
	Log *slog.Logger
	// LogDropped counts the lines that the log has dropped; nil: none.
	LogDropped func() uint64
}

// Grace bounds how long [Node.Stop] waits for requests in flight after the drain delay:
// the deadline of a request and a little more.
const Grace = 12 * time.Second

// Settings reads the configuration file, or returns the demo configuration. One error
// reports all mistakes, with lines.
func (c *Config) Settings() (*config.Config, error) {
	o := config.Options{
		File: c.File, PublicURL: c.publicURL(),
		CheckIssuer: keys.CheckIssuer, CheckPlatform: platform.Check, CheckSAML: saml.Check,
	}
	if c.File == "" {
		return config.Demo(o), nil
	}
	return config.Load(o)
}

func (c *Config) logger() *slog.Logger { return cmp.Or(c.Log, slog.Default()) }

// limits are those of a connection to the public listener.
func (c *Config) limits() wire.Limits {
	l := wire.DefaultLimits
	l.Request = cmp.Or(c.ReadTimeout, l.Request)
	l.Write = cmp.Or(c.WriteTimeout, l.Write)
	l.Idle = cmp.Or(c.IdleTimeout, l.Idle)
	return l
}

// publicURL is the default of publicURL: where the public listener is.
func (c *Config) publicURL() string {
	scheme := "http://"
	if c.TLSCert != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(c.HTTP)
	if err != nil {
		return ""
	}
	return scheme + net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port)
}
