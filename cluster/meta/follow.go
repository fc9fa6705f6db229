package meta

import (
	"context"
	"fmt"

	"ssod/cluster"
)

// Options are of a node among many.
type Options struct {
	// Reader reads what is applied of the meta shard on this node, perhaps nothing yet.
	Reader cluster.Reader
	// Forward sends a request to the leader of the meta shard and returns the answer of
	// [Store.Serve] there.
	Forward func(ctx context.Context, to cluster.Owner, request []byte) ([]byte, error)
	// Spread is called on the leader before a change is answered, and returns when the
	// other nodes have it too. nil: changes do not wait for them.
	Spread func(ctx context.Context, table string, revision uint64) error
}

// Follow opens the tables of a node that may or may not lead the meta shard, as they are
// applied here, so they may be old. The caller must call [Store.Applied] after changes, and
// Close the store.
func Follow(shards cluster.Shards, o Options) (*Store, error) {
	s := newStore(shards, o)
	tables, err := loadAll(o.Reader)
	if err != nil {
		return nil, fmt.Errorf("open meta tables: %w", err)
	}
	s.tables.Store(&tables)
	s.following.Go(s.follow)
	s.Applied() // what was applied meanwhile
	return s, nil
}

// Applied must be called when something was applied to the meta shard on this node. It does
// not block.
func (s *Store) Applied() { s.applied.Send() }

// Close ends the following.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { close(s.stop) })
	s.following.Wait()
	return nil
}

func (s *Store) follow() {
	for {
		select {
		case <-s.stop:
			return
		case <-s.applied:
		}
		if err := s.catchUp(); err != nil {
			return // the store below has failed, which is fatal elsewhere
		}
	}
}

// catchUp loads the tables whose applied revision differs.
func (s *Store) catchUp() error {
	var names []string
	err := s.options.Reader.Entities(kind, "", func(name string, h cluster.Head) bool {
		if h.Rev != s.table(name).rev {
			names = append(names, name)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	for _, name := range names {
		t, err := loadWhole(s.options.Reader, name)
		if err != nil {
			return err
		}
		s.replace(name, t)
	}
	return nil
}

// Refresh takes over a table as it is applied here by now. After a change of this node it
// has every change that was made before, of any table.
func (s *Store) Refresh(name string) error {
	if s.options.Reader == nil {
		return nil
	}
	t, err := loadWhole(s.options.Reader, name)
	if err != nil {
		return err
	}
	s.replace(name, t)
	return nil
}

// loadWhole reads one revision of a table while others may be applied.
func loadWhole(r cluster.Reader, name string) (*table, error) {
	for {
		t, err := load(r, name)
		if err != nil {
			return nil, err
		}
		h, _, err := r.Head(entity(name))
		if err != nil {
			return nil, fmt.Errorf("load table %s: %w", name, err)
		}
		if h.Rev == t.rev {
			return t, nil
		}
	}
}
