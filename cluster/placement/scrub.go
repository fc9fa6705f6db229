package placement

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica"
)

const (
	// scrubWait bounds how long one request waits for a scrub.
	scrubWait = 5 * time.Second
	// scrubTime bounds a scrub: shards of millions of entities are rewritten in
	// minutes.
	scrubTime = 30 * time.Minute
	// maxScrubs bounds the scrubs that a node remembers, under way or done.
	maxScrubs = 64
)

// Scrubber removes what was erased in some shards from all files of this node: entries of
// the log, tables, write-ahead log.
type Scrubber struct {
	engine *replica.Engine
	store  func(context.Context, map[cluster.ShardID]uint64) error
	ctx    context.Context
	cancel context.CancelFunc
	going  sync.WaitGroup

	mu   sync.Mutex
	jobs map[string]*scrub
}

// NewScrubber returns one for an engine and [persistence.Store.Scrub] of its store.
func NewScrubber(engine *replica.Engine, store func(context.Context, map[cluster.ShardID]uint64) error) *Scrubber {
	s := &Scrubber{engine: engine, store: store, jobs: make(map[string]*scrub)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends all scrubs.
func (s *Scrubber) Close() error {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.going.Wait()
	return nil
}

// scrub is one that is under way or over.
type scrub struct {
	done   chan struct{}
	result any // once done is closed
	err    error
}

// Scrub returns when this node's files are scrubbed of what was erased before.
func (s *Scrubber) Scrub(ctx context.Context, shards []cluster.ShardID) error {
	upTo, err := s.applied(ctx, shardNumbers(shards))
	if err != nil {
		return err
	}
	return s.scrub(ctx, upTo)
}

// applied are the applied indexes of the replicas here.
func (s *Scrubber) applied(ctx context.Context, shards []uint32) (map[uint32]uint64, error) {
	upTo := make(map[uint32]uint64)
	for _, shard := range shards {
		st, err := s.engine.Status(ctx, cluster.ShardID(shard))
		switch {
		case errors.Is(err, cluster.ErrLost):
			continue // no replica
		case err != nil:
			return nil, fmt.Errorf("status of shard %d: %w", shard, err)
		}
		upTo[shard] = st.Applied.Index
	}
	return upTo, nil
}

func (s *Scrubber) scrub(ctx context.Context, upTo map[uint32]uint64) error {
	all := make(map[cluster.ShardID]uint64, len(upTo))
	for shard, index := range upTo {
		id := cluster.ShardID(shard)
		if err := s.engine.Truncate(ctx, id, index); err != nil {
			return fmt.Errorf("truncate the log of shard %d: %w", shard, err)
		}
		all[id] = index
	}
	return s.store(ctx, all)
}

// Begin starts a job that takes long, and returns a name for [Scrubber.Await].
func (s *Scrubber) Begin(f func(context.Context) (result any, err error)) (job string, err error) {
	job = rand.Text()
	_, err = s.begin(job, f)
	return job, err
}

// ErrNoJob: a job is unknown here, or was forgotten.
var ErrNoJob = errors.New("there is no such job")

// Await waits up to [scrubWait] for the end of a job.
func (s *Scrubber) Await(ctx context.Context, job string) (result any, done bool, err error) {
	s.mu.Lock()
	j := s.jobs[job]
	s.mu.Unlock()
	if j == nil {
		return nil, false, ErrNoJob
	}
	if done, err = j.wait(ctx); !done {
		return nil, false, err
	}
	return j.result, true, nil
}

func (j *scrub) wait(ctx context.Context) (done bool, err error) {
	timeout := time.NewTimer(scrubWait)
	defer timeout.Stop()
	select {
	case <-j.done:
		return j.err == nil, j.err
	case <-timeout.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// wait starts or finds a scrub that another node asks for, and waits for it.
func (s *Scrubber) wait(ctx context.Context, job string, upTo map[uint32]uint64) (done bool, err error) {
	j, err := s.begin(job, func(ctx context.Context) (any, error) { return nil, s.scrub(ctx, upTo) })
	if err != nil {
		return false, err
	}
	return j.wait(ctx)
}

// begin starts a job unless it is known.
func (s *Scrubber) begin(job string, f func(context.Context) (any, error)) (*scrub, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[job]; j != nil {
		return j, nil
	}
	if len(s.jobs) >= maxScrubs {
		maps.DeleteFunc(s.jobs, func(_ string, j *scrub) bool { return j.over() })
	}
	if len(s.jobs) >= maxScrubs {
		return nil, fmt.Errorf("%w: too many scrubs are under way", ErrTemporary)
	}
	if s.ctx.Err() != nil {
		return nil, fmt.Errorf("%w: the node stops", ErrTemporary)
	}
	j := &scrub{done: make(chan struct{})}
	s.jobs[job] = j
	s.going.Go(func() {
		defer close(j.done)
		ctx, cancel := context.WithTimeout(s.ctx, scrubTime)
		defer cancel()
		j.result, j.err = f(ctx)
	})
	return j, nil
}

func (j *scrub) over() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// Scrub removes what was erased in some shards before the call from all files of all
// members. Its error names the members on which that did not succeed within ctx.
func (p *Placement) Scrub(ctx context.Context, shards []cluster.ShardID) error {
	// The largest index, with the leader's among them, covers all that was acknowledged.
	var mu sync.Mutex
	upTo := make(map[uint32]uint64)
	members := slices.DeleteFunc(p.registry.Nodes(), func(n Node) bool { return n.State == NodeState_REMOVED || n.Leave == Leave_LEFT })
	unknown := each(members, func(n Node) error {
		found, err := p.appliedAt(ctx, n, shardNumbers(shards))
		mu.Lock()
		defer mu.Unlock()
		for shard, index := range found {
			upTo[shard] = max(upTo[shard], index)
		}
		return err
	})
	job := []byte(rand.Text())
	return errors.Join(unknown, each(members, func(n Node) error { return p.scrubAt(ctx, n, job, upTo) }))
}

// each calls f for all members concurrently; its error names those where f failed.
func each(members []Node, f func(Node) error) error {
	failed := make([]error, len(members))
	var all sync.WaitGroup
	for i, n := range members {
		all.Go(func() {
			if err := f(n); err != nil {
				failed[i] = fmt.Errorf("node %s: %w", n.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

func (p *Placement) appliedAt(ctx context.Context, n Node, shards []uint32) (map[uint32]uint64, error) {
	if n.ID == p.self {
		return p.cfg.Scrubber.applied(ctx, shards)
	}
	a, err := p.call(ctx, n.ID, &Request{Applied: &AppliedRequest{Shards: shards}})
	return a.GetApplied().GetUpto(), err
}

// scrubAt asks a member until it is done there.
func (p *Placement) scrubAt(ctx context.Context, n Node, job []byte, upTo map[uint32]uint64) error {
	if n.ID == p.self {
		return p.cfg.Scrubber.scrub(ctx, upTo)
	}
	for {
		a, err := p.ask(ctx, n.ID, &Request{Scrub: &ScrubRequest{Job: job, Upto: upTo}})
		if err != nil || a.GetScrubbed().GetDone() {
			return err
		}
	}
}

func shardNumbers(shards []cluster.ShardID) []uint32 {
	all := make([]uint32, len(shards))
	for i, shard := range shards {
		all[i] = uint32(shard)
	}
	return all
}
