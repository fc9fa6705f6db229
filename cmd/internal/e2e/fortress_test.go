package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"ssod/cluster/secret"
	"ssod/cluster/transport/transporttest"
	"ssod/cmd/internal/ssodtest"
)

// fortress is a cluster with everything that keeps strangers out: certificates
// and a secret.
type fortress struct {
	*trio
	key secret.Key // of the secret
	id  string     // of the cluster
	// What strangers present: a certificate for n2, one of another authority,
	// none.
	own, foreign, nobody *tls.Config
}

func startFortress(t *testing.T) *fortress {
	t.Helper()
	f := &fortress{trio: newTrio(t, crashConfig)}
	f.key = f.secretKey()
	for range 3 {
		f.add()
	}
	f.balanced()
	other, err := transporttest.NewAuthority(t.TempDir())
	must(t, err)
	f.own, f.foreign, f.nobody = papers(t, f.authority), papers(t, other), papers(t, nil)
	f.id = f.view().ID
	return f
}

// secretKey is the key that the secret consists of.
func (c *trio) secretKey() secret.Key {
	c.Helper()
	text, err := os.ReadFile(c.secret)
	must(c, err)
	keys, err := secret.Parse(text)
	must(c, err)
	return keys[0]
}

// The ports that nodes keep for each other, as places in node.addresses.
const (
	gossipPort = 2
	rpcPort    = 3
	raftPort   = 4
)

// clusterView is what must not change by anything that strangers do.
type clusterView struct {
	ID    string
	Nodes []struct{ Name, State string }
}

func (c *trio) view() (v clusterView) {
	c.Helper()
	_, page := c.nodes[0].Page("/admin/v1/cluster")
	must(c, json.Unmarshal([]byte(page), &v))
	return v
}

// papers are what a stranger presents, who believes anybody.
func papers(t *testing.T, by *transporttest.Authority) *tls.Config {
	t.Helper()
	c := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	if by == nil {
		return c
	}
	files, err := by.Issue("n2")
	must(t, err)
	cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	must(t, err)
	c.Certificates = []tls.Certificate{cert}
	return c
}

// unmoved checks that everything is as it was before the strangers came.
func (f *fortress) unmoved(t *testing.T, a *app, before clusterView, costs []cost) {
	t.Helper()
	until(t, "the cluster is what it was", func() bool { return fmt.Sprint(f.view()) == fmt.Sprint(before) })
	for i, n := range f.nodes {
		until(t, "nothing is left of the strangers", func() bool { return n.cost().within(costs[i]) })
		if has(n.Logged(), "panic") || !n.alive() {
			t.Errorf("a node panicked or died:\n%s", ssodtest.Tail(n.Logged()))
		}
	}
	host, code := a.hostWithCode("after the strangers")
	must(t, a.redeem(context.Background(), newDevice("guest"), code))
	if devices, err := a.list(context.Background(), host); err != nil || len(devices) != 2 {
		t.Errorf("after the strangers the host sees %d devices, %v", len(devices), err)
	}
}
