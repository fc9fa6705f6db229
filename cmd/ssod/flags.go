package main

import (
	"cmp"
	"os"
	"regexp"
	"strings"
	"time"

	"ssod/cmd/internal/node"
)

// flags are the command line; cmd/ssod/docs/configuration.md#flags. Flag wins over
// environment variable, which wins over the default.
type flags struct {
	Config string `placeholder:"FILE" help:"Configuration, YAML. Without it the built-in demo configuration is used."`
	Data   string `placeholder:"DIR" default:"ssod-data" help:"Store, keys and identity of the node; created with mode 0700, locked against a second process (${default})."`
	Node   string `placeholder:"NAME" help:"Name of the node, unique in the cluster and stable: [a-z0-9-]{1,63}. Default: the name in the data directory, else the host name."`

	HTTP       string `name:"http" placeholder:"ADDR" default:"127.0.0.1:8080" help:"Public API, host:port (${default})."`
	Admin      string `placeholder:"ADDR" default:"127.0.0.1:8081" help:"Health, metrics, pprof and admin API, host:port (${default}). Off loopback it needs --admin-token and the --http-tls files."`
	AdminToken string `placeholder:"FILE" help:"Bearer tokens of the admin API, one per line, each of which is accepted; read again on reload. Not accessible to others."`
	Health     string `placeholder:"ADDR" help:"A second listener without authentication, with livez, readyz and metrics only, host:port. Default: none."`

	Gossip    string   `placeholder:"ADDR" default:"${gossip}" help:"Membership, TCP and UDP, host:port (${default}). This and the next two open in a cluster only."`
	RPC       string   `name:"rpc" placeholder:"ADDR" default:"${rpc}" help:"Actor messages between nodes, host:port (${default})."`
	Raft      string   `placeholder:"ADDR" default:"${raft}" help:"Replication and snapshots between nodes, host:port (${default})."`
	Advertise string   `placeholder:"HOST" help:"What other nodes dial. Default: the host of --rpc."`
	Zone      string   `placeholder:"NAME" help:"What fails together with this node, such as a rack or an availability zone: [a-z0-9-]{1,63}. Where every node has one, the copies of a shard are in different zones as far as there are enough. It may change with a restart."`
	Join      []string `placeholder:"ADDR" help:"Gossip addresses of nodes to join, host:port; needs --cluster-secret. This node's own may be among them. Where none of them has a cluster yet, ssoctl init has one node found it. Empty with an empty data directory: found a new cluster, or stay alone without --cluster-secret."`
	Replicas  *int     `placeholder:"N" help:"When a cluster is founded: copies of each shard, 1, 3 or 5; with fewer nodes, as many as there are nodes (3). From then on: ssoctl cluster set replicas=N."`
	Shards    int      `placeholder:"N" default:"64" help:"Number of shards, fixed when the cluster is created (${default})."`

	ClusterSecret string `placeholder:"FILE" help:"Secret that the nodes of a cluster tell each other by: keys, Base64 of 32 bytes, one per line, all accepted, the one that encrypts and proves first; read again on reload. Not accessible to others. Made where a cluster is founded on an empty data directory. Without it the node is alone and opens no port for others."`
	TLSCert       string `name:"tls-cert" placeholder:"FILE" help:"Certificate of this node among nodes, PEM. Needed with key and CA when --rpc or --raft is not a loopback address."`
	TLSKey        string `name:"tls-key" placeholder:"FILE" help:"Key of --tls-cert, PEM."`
	TLSCA         string `name:"tls-ca" placeholder:"FILE" help:"CA of all nodes, PEM."`
	HTTPTLSCert   string `name:"http-tls-cert" placeholder:"FILE" help:"Certificate of the public listener, PEM; read again when it changes. Without it: plain HTTP."`
	HTTPTLSKey    string `name:"http-tls-key" placeholder:"FILE" help:"Key of --http-tls-cert, PEM."`

	ReadTimeout  time.Duration `placeholder:"DURATION" default:"5s" help:"Public listener: how long a request may take to arrive, first byte to last (${default})."`
	WriteTimeout time.Duration `placeholder:"DURATION" default:"10s" help:"Public listener: how long a client may take to receive an answer (${default})."`
	IdleTimeout  time.Duration `placeholder:"DURATION" default:"75s" help:"Public listener: how long a connection is kept between two requests. Must be longer than the proxy in front keeps it, or requests are lost (${default})."`

	LogLevel  string `placeholder:"LEVEL" default:"info" help:"debug, info, warn or error (${default})."`
	LogFormat string `placeholder:"FORMAT" help:"text or json. Default: text on a terminal, else json."`

	DrainDelay time.Duration  `placeholder:"DURATION" default:"5s" help:"For how long requests are still served after /readyz turned 503, such as 5s (${default})."`
	DeadAfter  *time.Duration `placeholder:"DURATION" help:"When a cluster is founded: a node unreachable for so long is replaced on the others, such as 5m (5m). From then on: ssoctl cluster set dead-after=DURATION."`
	SilentFor  time.Duration  `placeholder:"DURATION" default:"30s" hidden:"" help:"A node that was silent for so long may be replaced by another of its name, or removed (${default}). Tests shorten it."`
	Insecure   bool           `help:"Waive what is needed off loopback addresses; logs a warning at every start."`

	Memory *size `placeholder:"SIZE" help:"Memory that the process is to take, all in all, such as 2GiB; profiles in memory, what waits, the cache and garbage follow. Default: 512MiB, and more where the cache holds more."`
	Cache  *size `placeholder:"SIZE" help:"Memory for what is read from disk, such as 256MiB. Default: an eighth of --memory, without it of what the machine, its control group or GOMEMLIMIT allows, 32MiB to 1GiB."`

	Check   bool `help:"Check flags and configuration, print every mistake, and exit 0 or 2 without starting."`
	Version bool `help:"Print the version and exit."`
}

// Where a node of a cluster listens for others by default.
const (
	defaultGossip = "127.0.0.1:7946"
	defaultRPC    = "127.0.0.1:7947"
	defaultRaft   = "127.0.0.1:7948"
)

// node is the configuration by the flags, which must be checked.
func (f *flags) node() node.Config {
	return node.Config{
		File: f.Config, Data: f.Data, Name: f.Node, DefaultName: hostName(),
		HTTP: f.HTTP, Admin: f.Admin, Health: f.Health, AdminTokens: f.AdminToken,
		AdminTLS: f.HTTPTLSCert != "" && !loopback(f.Admin),
		TLSCert:  f.HTTPTLSCert, TLSKey: f.HTTPTLSKey,
		ReadTimeout: f.ReadTimeout, WriteTimeout: f.WriteTimeout, IdleTimeout: f.IdleTimeout,
		Gossip: f.Gossip, RPC: f.RPC, Raft: f.Raft, Advertise: unbracketed(f.Advertise), Zone: f.Zone, Join: f.Join,
		Replicas: given(f.Replicas), DeadAfter: given(f.DeadAfter), SilentFor: f.SilentFor, Secret: f.ClusterSecret, PeerCert: f.TLSCert, PeerKey: f.TLSKey, PeerCA: f.TLSCA,
		Shards: f.Shards, DrainDelay: f.DrainDelay, Memory: f.memory(), Cache: f.cache(),
	}
}

// given is the value of a flag, the zero value where it is not given.
func given[T any](flag *T) (value T) {
	if flag != nil {
		value = *flag
	}
	return value
}

// cache is how many bytes of what is read from disk are kept.
func (f *flags) cache() int64 {
	if f.Cache != nil {
		return int64(*f.Cache)
	}
	if f.Memory != nil {
		return cacheFor(int64(*f.Memory))
	}
	return cacheFor(memory())
}

// memory is the size of the process.
func (f *flags) memory() int64 {
	if f.Memory != nil {
		return int64(*f.Memory)
	}
	return min(defaultMemory, memory())
}

var notInNames = regexp.MustCompile(`[^a-z0-9-]`)

// hostName makes a node's name of the host's: lower case, cut at its first dot; other
// characters become dashes.
func hostName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return "node"
	}
	host, _, _ = strings.Cut(strings.ToLower(host), ".")
	host = notInNames.ReplaceAllString(host, "-")
	return cmp.Or(host[:min(len(host), 63)], "node")
}
