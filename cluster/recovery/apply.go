package recovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/meta"
	"ssod/cluster/placement"
	"ssod/cluster/plan"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// ErrApply: the plan is not for this directory, or the directory has changed since.
var ErrApply = errors.New("the plan cannot be applied here")

// tablesTimeout bounds the change of the tables, which this node makes alone.
const tablesTimeout = time.Minute

// Apply carries out a plan on the data directory of a survivor that no process uses. It is
// safe to repeat.
func Apply(ctx context.Context, p Plan, dir string, log *slog.Logger) error {
	id, there, err := persistence.ReadIdentity(dir)
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("%w: %s is no data directory", ErrApply, dir)
	}
	me, ok := p.survivor(persistence.NodeID(id.NodeID))
	switch {
	case p.Format != Format:
		return fmt.Errorf("%w: it has format %d, this version knows %d", ErrApply, p.Format, Format)
	case id.Cluster == p.Recovered:
		return nil
	case id.Cluster != p.Cluster:
		return fmt.Errorf("%w: %s is of cluster %s, the plan for %s", ErrApply, dir, id.Cluster, p.Cluster)
	case !ok || me.Name != id.Node:
		return fmt.Errorf("%w: node %s is not in it: move its directory aside and let it join again", ErrApply, id.Node)
	}
	if err := p.convert(me, dir, log); err != nil {
		return err
	}
	s, err := open(dir, p.Recovered, log)
	if err != nil {
		return err
	}
	if p.Shards[0].Source == me.ID {
		err = p.rewrite(ctx, s, log)
	}
	if err == nil {
		err = s.Recovered()
	}
	return closing(s, err)
}

func (p *Plan) survivor(id persistence.NodeID) (Survivor, bool) {
	for _, n := range p.Nodes {
		if n.ID == id {
			return n, true
		}
	}
	return Survivor{}, false
}

// convert converts the replicas here as planned, unless that is done.
func (p *Plan) convert(me Survivor, dir string, log *slog.Logger) error {
	s, err := open(dir, p.Recovered, log)
	if err != nil {
		return err
	}
	if s.Identity().Cluster == p.Recovered {
		return s.Close()
	}
	now, err := inspect(s)
	if err == nil && now.digest() != me.Report {
		err = fmt.Errorf("%w: %s has changed since node %s was reported: stop it, and make a new report and a new plan", ErrApply, dir, me.Name)
	}
	if err == nil {
		err = dropEmpty(s)
	}
	if err == nil {
		err = s.Recover(p.recovered(me.ID), me.Start)
	}
	return closing(s, err)
}

// dropEmpty removes replicas that never had any data; they get other ids.
func dropEmpty(s *persistence.Store) error {
	replicas, err := s.Log().Replicas()
	for _, r := range replicas {
		if err == nil && !filled(r) {
			err = s.Log().Destroy(r.Shard, r.ID)
		}
	}
	return err
}

// recovered are the replicas of a node after the recovery.
func (p *Plan) recovered(n persistence.NodeID) (rs []persistence.Recovered) {
	for _, shard := range p.Shards {
		if id, here := shard.Replicas[n]; here {
			rs = append(rs, persistence.Recovered{
				Shard: shard.Shard, ID: id, Term: shard.Term, Conf: shard.conf(), Empty: shard.Verdict == Gone,
			})
		}
	}
	return rs
}

func (s *Shard) conf() *pb.ConfState {
	conf := &pb.ConfState{Voters: []uint64{uint64(s.Replicas[s.Source])}}
	for _, l := range s.learners() {
		conf.Learners = append(conf.Learners, uint64(l))
	}
	return conf
}

func (s *Shard) learners() (rs []persistence.ReplicaID) {
	for _, n := range s.listeners() {
		rs = append(rs, s.Replicas[n])
	}
	return rs
}

// listeners are the nodes whose replicas are not the source, in order.
func (s *Shard) listeners() (nodes []persistence.NodeID) {
	for _, n := range slices.Sorted(maps.Keys(s.Replicas)) {
		if n != s.Source {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// rewrite writes the plan into the tables of the cluster. This node is the only voter of
// the meta shard by now.
func (p *Plan) rewrite(ctx context.Context, s *persistence.Store, log *slog.Logger) (err error) {
	ctx, cancel := context.WithTimeout(ctx, tablesTimeout)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	id := s.Identity()
	e, err := replica.Open(replica.Config{
		Node: core.NodeID(id.NodeID), Shards: id.Shards, Log: s.Log(), State: s,
		Address: func(core.NodeID) string { return id.Node }, Fatal: func(err error) { fail(err) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	tables, err := meta.Open(ctx, e)
	if err == nil {
		err = placement.Recover(ctx, tables, p.placement())
	}
	if err != nil {
		return fmt.Errorf("rewrite the tables of the cluster: %w", errors.Join(err, context.Cause(ctx)))
	}
	log.Info("the tables of the cluster are as planned", "removed", len(p.Lost))
	return nil
}

func (p *Plan) placement() placement.Recovery {
	r := placement.Recovery{At: p.Made}
	for _, n := range p.Nodes {
		r.Survivors = append(r.Survivors, n.ID)
	}
	for _, s := range p.Shards {
		r.Groups = append(r.Groups, plan.Config{Term: s.Term, Voters: []plan.ReplicaID{s.Replicas[s.Source]}, Learners: s.learners()})
		r.Map = append(r.Map, plan.Assignment{Voters: []plan.NodeID{s.Source}, Learners: s.listeners(), Preferred: s.Source})
	}
	return r
}

// open opens a data directory; recovered is the id that the cluster has afterwards.
func open(dir, recovered string, log *slog.Logger) (*persistence.Store, error) {
	if _, there, err := persistence.ReadIdentity(dir); err != nil {
		return nil, err
	} else if !there {
		return nil, fmt.Errorf("%s is no data directory: it has no identity.json", dir)
	}
	var failed error
	s, err := persistence.Open(persistence.Options{Dir: dir, Recovering: recovered, Logger: log, Fatal: func(err error) { failed = err }})
	return s, errors.Join(err, failed)
}

// closing closes a store and joins its error to err.
func closing(s *persistence.Store, err error) error { return errors.Join(err, s.Close()) }
