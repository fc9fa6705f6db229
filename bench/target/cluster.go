package target

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Cluster is a service of several processes that speak mutual TLS with each
// other.
type Cluster struct {
	Nodes []*Service

	program, dir string
	realms       []Realm
	authority    *authority
	secret       string // file
}

// NewCluster prepares a cluster below a directory and starts nothing yet.
func NewCluster(program, dir string, realms []Realm) (*Cluster, error) {
	a, err := newAuthority(dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{program: program, dir: dir, realms: realms, authority: a, secret: filepath.Join(dir, "secret")}
	return c, c.writeSecret()
}

// writeSecret writes the nodes' secret: an older build does not make one itself.
func (c *Cluster) writeSecret() error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return os.WriteFile(c.secret, []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600)
}

// Add starts one more node with these flags beside its own, which joins the first,
// and returns once it is ready.
func (c *Cluster) Add(ctx context.Context, more ...string) error {
	name := fmt.Sprint("n", len(c.Nodes)+1)
	flags, err := c.authority.flags(name)
	if err != nil {
		return err
	}
	if len(c.Nodes) > 0 {
		flags = append(flags, "--join", c.Nodes[0].gossip)
	}
	dir := filepath.Join(c.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	s, err := Start(ctx, c.program, dir, c.realms, append(append(flags, secretFlag, c.secret), more...)...)
	if err != nil {
		return err
	}
	c.Nodes = append(c.Nodes, s)
	return nil
}

// Kill ends all processes.
func (c *Cluster) Kill() error {
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.Process.Kill())
	}
	return errors.Join(errs...)
}

// settledPoll is how often the state of the cluster is asked for.
const settledPoll = 100 * time.Millisecond

// copies is how many replicas a shard has where there are nodes for them.
const copies = 3

// Settled waits until every shard has all its replicas and every node its share of
// the leads, as far as they are spread over leaders nodes, in the eyes of every node:
// nothing moves then.
func (c *Cluster) Settled(ctx context.Context, leaders int) error {
	tick := time.NewTicker(settledPoll)
	defer tick.Stop()
	for {
		err := c.settled(ctx, leaders)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the cluster does not settle: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// settled says what is still missing.
func (c *Cluster) settled(ctx context.Context, leaders int) error {
	for i, n := range c.Nodes {
		v, err := n.view(ctx)
		if err != nil {
			return err
		}
		if !v.settled(len(c.Nodes), leaders) {
			return fmt.Errorf("in the eyes of node %d it has leaders %v", i+1, v.leads())
		}
	}
	return nil
}

// view is what a node says of the cluster.
type view struct {
	Shards []struct {
		Shard              int
		Leader             string
		Replicas, Learners []string
	}
}

func (s *Service) view(ctx context.Context) (v view, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Admin+"/admin/v1/cluster", nil)
	if err != nil {
		return v, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return v, err
	}
	defer response.Body.Close()
	return v, json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&v)
}

func (v view) settled(nodes, leaders int) bool {
	want := min(nodes, copies)
	for _, s := range v.Shards {
		has := len(s.Replicas) + len(s.Learners)
		spare := has > want && s.Shard == 0 // the meta shard may have more
		if has != want && !spare || s.Leader == "" {
			return false
		}
	}
	leads := v.leads()
	least, most := len(v.Shards), 0
	for _, n := range leads {
		least, most = min(least, n), max(most, n)
	}
	uneven := 1
	if nodes > copies {
		uneven = 2 // not every node can lead every shard
	}
	return len(leads) == leaders && most-least <= uneven
}

// leads is how many shards each node leads.
func (v view) leads() map[string]int {
	leads := map[string]int{}
	for _, s := range v.Shards {
		leads[s.Leader]++
	}
	return leads
}
