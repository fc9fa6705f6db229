package local

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster"
	"ssod/persistence"
)

// Config says how a node leads its shards alone.
type Config struct {
	// Store holds the shards. It stays open when the Shards are closed.
	Store *persistence.Store
	// Address is the node's own actor address, the owner of every shard.
	Address string
	// Clock returns the time; nil means time.Now.
	Clock func() time.Time
	// Queue is how many commits may wait; more are refused. 0 means 4096. A
	// longer queue answers later under overload and keeps more in memory.
	Queue int
	// QueueBytes bounds the same by size; 0 means 64 MiB.
	QueueBytes int
	// Registerer gets ssod_store_commit_seconds and ssod_store_batch_size; nil
	// means no metrics.
	Registerer prometheus.Registerer
}

// term is the only term: a process that restarts has forgotten its handles.
const term = 1

// Shards are all shards of a cluster of one node. It implements
// [cluster.Shards].
type Shards struct {
	config  Config
	store   *persistence.Store
	shards  []*shard // by id
	metrics metrics
	queue   queue
	rounds  chan *round // written, not known to be on disk

	lost      chan struct{} // closed when the node leads nothing any more
	lose      sync.Once
	closeOnce sync.Once
	running   sync.WaitGroup

	mu       sync.Mutex
	watchers map[int]func(cluster.ShardID)
	nextID   int
}

// Open takes the lead of all shards in the store.
func Open(c Config) (*Shards, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Queue == 0 {
		c.Queue = 4096
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = 64 << 20
	}
	s := &Shards{
		config:   c,
		store:    c.Store,
		shards:   make([]*shard, c.Store.Identity().Shards+1),
		queue:    newQueue(c.Queue, c.QueueBytes),
		rounds:   make(chan *round),
		lost:     make(chan struct{}),
		watchers: map[int]func(cluster.ShardID){},
	}
	if err := s.metrics.register(c.Registerer); err != nil {
		return nil, err
	}
	for id := range s.shards {
		s.shards[id] = &shard{id: cluster.ShardID(id), all: s}
	}
	s.running.Go(s.gather)
	s.running.Go(s.settle)
	return s, nil
}

// Close gives up all shards: waiting commits are refused, those that are being
// written are answered.
func (s *Shards) Close() error {
	s.closeOnce.Do(func() {
		s.loseAll()
		for _, p := range s.queue.close() {
			p.answer(cluster.ErrRefused)
		}
		s.running.Wait()
		s.metrics.unregister(s.config.Registerer)
		s.notify()
	})
	return nil
}

// loseAll ends all handles.
func (s *Shards) loseAll() { s.lose.Do(func() { close(s.lost) }) }

func (s *Shards) leads() bool {
	select {
	case <-s.lost:
		return false
	default:
		return true
	}
}

// Count implements [cluster.Shards].
func (s *Shards) Count() int { return len(s.shards) - 1 }

// Owner implements [cluster.Shards].
func (s *Shards) Owner(id cluster.ShardID) (cluster.Owner, bool) {
	if int(id) >= len(s.shards) || !s.leads() {
		return cluster.Owner{}, false
	}
	return cluster.Owner{Address: s.config.Address, Term: term}, true
}

// Lead implements [cluster.Shards].
func (s *Shards) Lead(id cluster.ShardID) (cluster.Shard, bool) {
	if int(id) >= len(s.shards) || !s.leads() {
		return nil, false
	}
	return s.shards[id], true
}

// Watch implements [cluster.Shards]. The only change is the end, by Close.
func (s *Shards) Watch(f func(cluster.ShardID)) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.nextID
	s.nextID++
	s.watchers[id] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, id)
	}
}

func (s *Shards) notify() {
	s.mu.Lock()
	watchers := make([]func(cluster.ShardID), 0, len(s.watchers))
	for _, f := range s.watchers {
		watchers = append(watchers, f)
	}
	s.mu.Unlock()
	for _, f := range watchers {
		for id := range s.shards {
			f(cluster.ShardID(id))
		}
	}
}
