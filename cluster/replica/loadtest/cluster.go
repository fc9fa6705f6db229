package main

import (
	"errors"

	"golang.org/x/sync/errgroup"

	"ssod/cluster/transport"
	"ssod/cluster/transport/transporttest"
)

// trio is the three processes.
type trio []*child

// startTrio starts nodes of a program on empty directories and waits until every
// shard is led by its home.
func startTrio(program string, s setup, plain bool) (t trio, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, t.stop())
		}
	}()
	authority, err := transporttest.NewAuthority(s.Dir)
	if err != nil {
		return nil, err
	}
	var peers []transport.Peer
	for id := range transport.NodeID(nodes) {
		s.Node = id + 1
		if !plain {
			if s.Files, err = authority.Issue(nodeName(s.Node)); err != nil {
				return t, err
			}
		}
		p, r, err := startChild(program, s)
		if err != nil {
			return t, err
		}
		t, peers = append(t, p), append(peers, r.Peer)
	}
	_, err = t.each(func(int) order { return order{Peers: peers} })
	return t, err
}

// each gives every node its order, all at once.
func (t trio) each(of func(i int) order) ([]result, error) {
	results := make([]result, len(t))
	var g errgroup.Group
	for i, p := range t {
		g.Go(func() error {
			r, err := p.ask(of(i))
			results[i] = r.result
			return err
		})
	}
	return results, g.Wait()
}

// ids are the process ids.
func (t trio) ids() (all []int) {
	for _, p := range t {
		all = append(all, p.id())
	}
	return all
}

func (t trio) stop() error {
	var g errgroup.Group
	for _, p := range t {
		g.Go(p.stop)
	}
	return g.Wait()
}
