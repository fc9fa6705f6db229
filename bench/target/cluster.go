package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"ssod/bench/process"
)

// Cluster is a service of several processes that speak mutual TLS with each
// other.
type Cluster struct {
	Nodes []*Service

	program, dir string
	realms       []Realm
	authority    *authority
	secret       string // file; the first node makes it
}

// NewCluster prepares a cluster below a directory and starts nothing yet.
func NewCluster(program, dir string, realms []Realm) (*Cluster, error) {
	a, err := newAuthority(dir)
	return &Cluster{program: program, dir: dir, realms: realms, authority: a, secret: filepath.Join(dir, "secret")}, err
}

// Add starts one more node, which joins the first, and returns once it is ready.
func (c *Cluster) Add(ctx context.Context) error {
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
	addrs, err := process.FreeAddresses(3)
	if err != nil {
		return err
	}
	flags = append(flags, "--cluster-secret", c.secret, "--gossip", addrs[0], "--rpc", addrs[1], "--raft", addrs[2])
	s, err := start(ctx, c.program, dir, c.realms, flags...)
	if err != nil {
		return err
	}
	s.gossip = addrs[0]
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

// Settled waits until every node has a replica of every shard and its share of
// the leads, as far as they are spread over leaders nodes: nothing moves then.
func (c *Cluster) Settled(ctx context.Context, leaders int) error {
	tick := time.NewTicker(settledPoll)
	defer tick.Stop()
	for {
		v, err := c.Nodes[0].view(ctx)
		if err == nil && v.settled(len(c.Nodes), leaders) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the cluster does not settle: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// view is what a node says of the cluster.
type view struct {
	Shards []struct {
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
	leads := map[string]int{}
	for _, s := range v.Shards {
		if len(s.Replicas)+len(s.Learners) != nodes || s.Leader == "" {
			return false
		}
		leads[s.Leader]++
	}
	least, most := len(v.Shards), 0
	for _, n := range leads {
		least, most = min(least, n), max(most, n)
	}
	return len(leads) == leaders && most-least <= 1
}
