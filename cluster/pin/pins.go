package pin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/persistence"
)

const (
	// maxPins bounds the pins that a node holds.
	maxPins = 4
	// patience is how long a node holds a pin without hearing that it is needed.
	patience = time.Minute
	// pieceSize is how much of a shard is read at a time, in bytes.
	pieceSize = 512 << 10
)

// The kinds of a [Request].
const (
	wordFlush   uint32 = iota + 1 // shards, so that pinning them is quick
	wordPin                       // shards that the node leads
	wordRead                      // of a shard
	wordKeep                      // the pin is needed
	wordRelease                   // it is not
)

var (
	// ErrBusy: a node holds too many pins.
	ErrBusy = errors.New("too many backups are under way")
	// ErrGone: a node does not hold the pin any more.
	ErrGone = errors.New("what was pinned for the backup is gone")
	// errLed: another node leads the shard.
	errLed     = errors.New("the shard is led by another node")
	errRequest = errors.New("malformed request")
)

// Node is what a node has. All but Others is required.
type Node struct {
	// Shards are the shards that this node leads.
	Shards cluster.Shards
	// Flush writes what memory has of shards, and Pin pins them.
	Flush func(...cluster.ShardID) error
	Pin   func([]cluster.ShardID) (*persistence.Pinned, error)
	// Others are the other nodes; nil: there are none.
	Others Others
}

// Others are the other nodes of the cluster.
type Others interface {
	// Leaders returns the shards that each node leads, by name, with "" for this node. It
	// fails when some shard has no leader now.
	Leaders() (map[string][]cluster.ShardID, error)
	// Ask sends a request to [Pins.Serve] of a node.
	Ask(ctx context.Context, node string, request []byte) (answer []byte, err error)
}

// Pins holds what is pinned on this node. It is safe for concurrent use.
type Pins struct {
	node Node

	mu     sync.Mutex
	held   map[uint64]*held
	closed bool
}

// New returns pins for a node.
func New(n Node) *Pins { return &Pins{node: n, held: make(map[uint64]*held)} }

// held is one pin here, perhaps of several times: the meta shard is pinned last.
type held struct {
	release *time.Timer

	mu     sync.Mutex // guards what follows
	ended  bool
	pinned []*persistence.Pinned
	shards map[cluster.ShardID]*reading
}

// reading is the progress of reading a shard.
type reading struct {
	from *persistence.PinnedShard
	at   uint64 // bytes that were read
	last []byte // piece, in case its answer is lost
}

// Serve answers a request of another node.
func (p *Pins) Serve(ctx context.Context, request []byte) ([]byte, error) {
	var r Request
	if err := proto.Unmarshal(request, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", errRequest, err)
	}
	read, err := p.do(ctx, &r)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(&Answer{Bytes: read})
}

// do carries out a request.
func (p *Pins) do(ctx context.Context, r *Request) (read []byte, err error) {
	shards := make([]cluster.ShardID, len(r.GetShards()))
	for i, s := range r.GetShards() {
		shards[i] = cluster.ShardID(s)
	}
	switch {
	case r.GetWhat() == wordFlush && len(shards) > 0:
		return nil, p.node.Flush(shards...)
	case r.GetWhat() == wordPin && len(shards) > 0:
		return nil, p.pin(ctx, r.GetPin(), shards)
	case r.GetWhat() == wordRead && len(shards) == 1:
		return p.read(ctx, r.GetPin(), shards[0], r.GetFrom())
	case r.GetWhat() == wordKeep:
		_, err := p.find(r.GetPin())
		return nil, err
	case r.GetWhat() == wordRelease:
		p.release(r.GetPin())
		return nil, nil
	}
	return nil, errRequest
}

// pin pins shards that this node leads, after a barrier of each.
func (p *Pins) pin(ctx context.Context, number uint64, shards []cluster.ShardID) error {
	h, err := p.hold(number)
	if err != nil {
		return err
	}
	if err := p.barriers(ctx, shards); err != nil {
		return err
	}
	pinned, err := p.node.Pin(shards)
	if err != nil {
		return err
	}
	return h.add(pinned, shards)
}

func (h *held) add(pinned *persistence.Pinned, shards []cluster.ShardID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return errors.Join(ErrGone, pinned.Close())
	}
	h.pinned = append(h.pinned, pinned)
	for _, id := range shards {
		from, err := pinned.Shard(id)
		if err != nil {
			return err
		}
		h.shards[id] = &reading{from: from}
	}
	return nil
}

// barriers passes a barrier of each shard concurrently.
func (p *Pins) barriers(ctx context.Context, shards []cluster.ShardID) error {
	failed := make(chan error, len(shards))
	for _, id := range shards {
		shard, leads := p.node.Shards.Lead(id)
		if !leads {
			failed <- fmt.Errorf("%w: %d", errLed, id)
			continue
		}
		go func() { failed <- shard.ReadBarrier(ctx) }()
	}
	var all error
	for range shards {
		all = errors.Join(all, <-failed)
	}
	return all
}

// hold finds a pin or begins it.
func (p *Pins) hold(number uint64) (*held, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.held[number]; h != nil {
		h.release.Reset(patience)
		return h, nil
	}
	if p.closed || len(p.held) >= maxPins {
		return nil, ErrBusy
	}
	h := &held{shards: make(map[cluster.ShardID]*reading)}
	h.release = time.AfterFunc(patience, func() { p.release(number) })
	p.held[number] = h
	return h, nil
}

// find finds a pin and notes that it is needed.
func (p *Pins) find(number uint64) (*held, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.held[number]
	if h == nil {
		return nil, ErrGone
	}
	h.release.Reset(patience)
	return h, nil
}

func (p *Pins) release(number uint64) {
	p.mu.Lock()
	h := p.held[number]
	delete(p.held, number)
	p.mu.Unlock()
	if h != nil {
		h.end()
	}
}

func (h *held) end() {
	h.release.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	for _, pinned := range h.pinned {
		_ = pinned.Close()
	}
	h.pinned, h.shards = nil, nil
}

// Close releases all pins; no more can be taken.
func (p *Pins) Close() error {
	p.mu.Lock()
	p.closed = true
	all := p.held
	p.held = make(map[uint64]*held)
	p.mu.Unlock()
	for _, h := range all {
		h.end()
	}
	return nil
}

// read reads the next piece of a shard, or the last one again.
func (p *Pins) read(ctx context.Context, number uint64, id cluster.ShardID, from uint64) ([]byte, error) {
	h, err := p.find(number)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.shards[id]
	switch {
	case r == nil:
		return nil, ErrGone
	case from == r.at:
		return r.next(ctx)
	case from+uint64(len(r.last)) == r.at:
		return r.last, nil
	}
	return nil, fmt.Errorf("%w: shard %d from byte %d, and %d were read", errRequest, id, from, r.at)
}

// Bounds of a rest while reading.
const (
	leastRest = 0
	mostRest  = 100 * time.Millisecond
)

func (r *reading) next(ctx context.Context) ([]byte, error) {
	pace := cluster.BeginPace()
	piece := make([]byte, 0, pieceSize)
	for len(piece) < cap(piece) {
		n, err := r.from.Read(piece[len(piece):cap(piece)])
		piece = piece[:len(piece)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if pace.Due() && !pace.Rest(ctx.Done(), leastRest, mostRest) {
			return nil, ctx.Err() // the pin is of no use any more
		}
	}
	r.last, r.at = piece, r.at+uint64(len(piece))
	return piece, nil
}
