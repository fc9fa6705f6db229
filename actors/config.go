package actors

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/cluster/stream"
)

// Config is what a [Runtime] needs.
type Config struct {
	// Shards says who owns what and gives this node the shards it leads.
	Shards cluster.Shards
	// Slots says which shard a hash slot belongs to; nil while this node does not know
	// it, and then no entity can be asked.
	Slots func() *cluster.Slots
	// Self is this node's address as it appears in cluster.Owner. With Remote
	// set, empty means the address of the listener.
	Self string
	// Kinds are the kinds of entity that live here. Every node of a cluster
	// must know the same kinds.
	Kinds []Kind
	// Level is the format level of the cluster as this node knows it; see Kind.Level.
	// nil: there are entities of all kinds.
	Level func() int
	// Limits bound what the node holds and waits for.
	Limits Limits
	// NoQuorum reports whether this node hears no majority of the shard, so that it
	// will reach no owner soon. Then an Ask does not wait for one. nil: it always waits.
	NoQuorum func(cluster.ShardID) bool
	// Outbox makes events of facts; nil: nobody is told of anything.
	Outbox Outbox
	// Remote connects the node to others. Nil: a cluster of one node.
	Remote *Remote
	// Metrics receives the collectors; nil: none are registered.
	Metrics prometheus.Registerer
	// Log receives faults of entities and of connections; nil: slog.Default.
	Log *slog.Logger
}

// Limits bound what a node holds and waits for. Zero means the default.
type Limits struct {
	// Wait is how long a command may have to wait for those before it, at the pace at
	// which its entity has answered lately (default 1 s). More lets a hot entity queue
	// longer; above it the answer is ErrOverloaded.
	Wait time.Duration
	// QueueBytes bounds the approximate memory of the commands in flight of all entities
	// of this node (default 32 MiB), wherever they come from. One entity's may take a
	// quarter of it.
	QueueBytes int64
	// Asks is the number of Asks that wait on this node (default 16,384).
	Asks int
	// Tells is the number of Tells on their way to other nodes (default 1,024).
	Tells int
	// Active is the number of entities held in memory (default 200,000). Near it the
	// least recently used are passivated; at it a command for another entity gets
	// ErrOverloaded.
	Active int
	// Bytes bounds the approximate memory of all entities (default 64 MiB). Near it the
	// least recently used are passivated.
	Bytes int64
	// Idle is how long an unused entity stays in memory (default 60 s).
	Idle time.Duration
	// Tick is the pace of the sweep (default 1 s).
	Tick time.Duration
	// SweepRate is the maximum number of stored heads that the sweep reads per second
	// (default 1,000): a million profiles take 17 minutes.
	SweepRate int
	// SweepRound is the least time for a sweep over all shards (default 5 minutes).
	SweepRound time.Duration
	// SurveyRate is the maximum number of stored heads per second that are searched for
	// unfinished work when the node begins to lead a shard (default 100,000, about a
	// fifth of a core meanwhile; an eighth of that while the processors are busy).
	SurveyRate int
	// OwnerWait is how long an Ask looks for an owner that takes its command
	// before it gives up (default 2 s).
	OwnerWait time.Duration
}

// Remote is how this node talks to the others.
type Remote struct {
	// Listen is the host and port for actor messages; port 0 lets the system
	// choose.
	Listen string
	// Papers are what nodes identify themselves by.
	Papers stream.Papers
	// Up reports whether a node is connected; another one is not dialed. nil: all are.
	// It is called for every message.
	Up func(address string) bool
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Wait:       cmp.Or(l.Wait, time.Second),
		QueueBytes: cmp.Or(l.QueueBytes, 32<<20),
		Asks:       cmp.Or(l.Asks, 16384),
		Tells:      cmp.Or(l.Tells, 1024),
		Active:     cmp.Or(l.Active, 200_000),
		Bytes:      cmp.Or(l.Bytes, 64<<20),
		Idle:       cmp.Or(l.Idle, time.Minute),
		Tick:       cmp.Or(l.Tick, time.Second),
		SweepRate:  cmp.Or(l.SweepRate, 1000),
		SweepRound: cmp.Or(l.SweepRound, 5*time.Minute),
		SurveyRate: cmp.Or(l.SurveyRate, 100_000),
		OwnerWait:  cmp.Or(l.OwnerWait, 2*time.Second),
	}
}

// validate reports every mistake at once.
func (c Config) validate() error {
	var mistakes []error
	if c.Shards == nil {
		mistakes = append(mistakes, errors.New("no shards"))
	}
	if c.Slots == nil {
		mistakes = append(mistakes, errors.New("no hash slots"))
	}
	if c.Self == "" && c.Remote == nil {
		mistakes = append(mistakes, errors.New("no address of this node"))
	}
	if c.Remote != nil && c.Remote.Papers.Secrets == nil {
		mistakes = append(mistakes, errors.New("no secret to tell other nodes from strangers"))
	}
	seen := map[string]bool{}
	for _, k := range c.Kinds {
		if k.Name == "" || len(k.Name) > 32 || k.New == nil || seen[k.Name] {
			mistakes = append(mistakes, fmt.Errorf("kind %q: bad name, no constructor or repeated", k.Name))
		}
		seen[k.Name] = true
	}
	return errors.Join(mistakes...)
}
