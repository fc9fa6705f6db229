package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/cluster"
	"ssod/cluster/replica/loadtest/floor"
	"ssod/cluster/transport"
)

// openFloor makes the node one of the floor's.
func (n *node) openFloor() error {
	name := filepath.Join(n.Dir, nodeName(n.Node)+".log")
	f, err := n.fs.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	cfg := floor.Config{File: f}
	if n.Files.Cert != "" {
		if cfg.TLS, err = mutual(n.Files); err != nil {
			return err
		}
	}
	n.floor, err = floor.Open(cfg)
	return err
}

// mutual is TLS in which both sides show a certificate.
func mutual(files transport.Files) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(files.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", files.CA)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}

// others are the floor's nodes beside one.
func others(peers []transport.Peer, self transport.NodeID) (all []floor.Peer) {
	for _, p := range peers {
		if p.ID != self {
			all = append(all, floor.Peer{Name: p.Name, Addr: p.Addr})
		}
	}
	return all
}

// floorShard lets callers of the engine call the floor.
type floorShard struct{ node *floor.Node }

// Commit implements [shard]: what the engine writes at least.
func (s floorShard) Commit(_ context.Context, c cluster.Commit) error {
	b := make([]byte, 0, len(c.Entity.Identity)+len(c.State)+32)
	b = append(b, c.Entity.Identity...)
	b = append(b, c.State...)
	for i := range c.Outcomes {
		b = append(b, c.Outcomes[i].Request[:]...)
		b = append(b, c.Outcomes[i].Result...)
	}
	return s.node.Commit(b)
}

// ReadBarrier implements [shard]; the floor has none.
func (floorShard) ReadBarrier(context.Context) error { return nil }

// Head implements [shard]; the floor stores nothing to read.
func (floorShard) Head(cluster.Entity) (cluster.Head, bool, error) { return cluster.Head{}, false, nil }
