package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNothingIsInClearBetweenNodes records everything that three nodes say to
// each other from their first meeting on, while viewers link, redeem, log in and
// leave, and a disk is wiped and filled again. Nothing secret is in the recording
// in any usual form; without TLS it would be.
func TestNothingIsInClearBetweenNodes(t *testing.T) {
	t.Parallel()
	t.Run("sealed", func(t *testing.T) {
		p, s := recordCluster(t, true)
		leaks := s.leaks(p, "")
		for name, port := range map[string]int{"raft": raftPort, "rpc": rpcPort} {
			records, other := p.records(port)
			if records < enough || other > 0 {
				t.Errorf("%s: %d records of TLS and %d streams that are not TLS", name, records, other)
			}
		}
		t.Logf("recorded: raft %d, rpc %d, gossip %d bytes, %d datagrams; marked=%d secret_leaks=%d",
			p.size(raftPort), p.size(rpcPort), p.size(gossipPort), len(p.packets), len(s.marked), leaks)
	})
	// Without TLS everything else is found, which shows that the search works; the keys
	// that open what is stored are not, though they came the same way.
	t.Run("in clear, for comparison", func(t *testing.T) {
		p, s := recordCluster(t, false)
		found := 0
		for secret := range s.marked {
			if p.find([]byte(secret)) {
				found++
			}
		}
		s.leaks(p, sealed)
		if !p.find(s.copy) {
			t.Error("the keys are not in the recording in their sealed form either")
		}
		if !p.find([]byte("marked-viewer-4711")) || found < 3 {
			t.Errorf("only %d marks are in a recording without TLS: the search finds nothing", found)
		}
	})
}

// leaks looks for the marks whose name begins with a prefix, in any form, and counts
// what it finds.
func (s *secrets) leaks(p *tap, prefix string) (leaks int) {
	s.Helper()
	for secret, what := range s.marked {
		if !strings.HasPrefix(what, prefix) {
			continue
		}
		for form, text := range forms(secret) {
			if len(text) >= shortest && p.find(text) {
				s.Errorf("%s is in the recording, %s", what, form)
				leaks++
			}
		}
	}
	return leaks
}

// enough is how many records of TLS show that a port was recorded. How many
// commands go from node to node depends on who leads what, so viewers come until
// there are so many.
const enough = 100

// shortest is how long a text must be at least so that it is not in some million
// random bytes by chance.
const shortest = 7

// forms are the ways in which a secret may be written down.
func forms(secret string) map[string][]byte {
	f := map[string][]byte{
		"as it is": []byte(secret), "in hex": []byte(hex.EncodeToString([]byte(secret))),
	}
	// Base64 of a text that has it at any place: the characters in the middle.
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		f[fmt.Sprint("in base64, shifted by ", shift)] = []byte(encoded[4:max(4, len(encoded)-4)])
	}
	if raw, err := base64.RawURLEncoding.DecodeString(secret); err == nil && len(raw) >= 16 {
		f["decoded from base64"] = raw
	}
	if raw, err := hex.DecodeString(secret); err == nil && len(raw) >= 16 {
		f["decoded from hex"] = raw
	}
	return f
}

// recordCluster starts three nodes with a tap between them, plays flows with
// marked secrets and wipes the disk of one node.
func recordCluster(t *testing.T, sealed bool) (*tap, *secrets) {
	t.Helper()
	p, c := newTap(t), newTrio(t, secretsConfig)
	p.onto(c)
	if !sealed {
		c.authority = nil
	}
	for range 3 {
		c.add()
	}
	c.balanced()
	s := &secrets{app: c.nodes[1].mustApp("one"), marked: map[string]string{}}
	s.mark("access token", s.token)
	s.mark("software statement", s.signed)
	s.mark("client secret", s.secret)
	s.playFlow()
	s.playLogin()
	if sealed {
		key := c.secretKey()
		s.mark("cluster secret", string(key[:]))
		c.fill(p, s.app)
	}
	victim := c.nodes[2]
	c.kill(victim)
	s.markSealing(victim)
	must(t, os.RemoveAll(victim.Data()))
	c.start(victim)
	c.balanced()
	for _, n := range c.nodes {
		c.kill(n)
		s.markSealing(n)
	}
	return p, s
}

// sealed is how marks of what must not be in clear are called, TLS or not.
const sealed = "sealing: "

// markSealing marks the private key of a node that does not run, and the sealing keys
// that it opens, and notes the form in which they may be seen.
func (s *secrets) markSealing(n *node) {
	s.Helper()
	private, err := os.ReadFile(filepath.Join(n.Data(), "sealing.key"))
	must(s, err)
	s.mark(sealed+"private key of "+n.name(), strings.TrimSpace(string(private)))
	d, err := readDirectory(n.Data())
	must(s, err)
	if len(d.sealing) == 0 {
		s.Fatalf("node %s opens no sealing key", n.name())
	}
	for number, key := range d.sealing {
		s.mark(fmt.Sprint(sealed, "key ", number), hex.EncodeToString(key))
		s.copy = d.copies[number][uint64(d.id.NodeID)]
	}
}

// fill lets viewers come until enough was recorded at each port.
func (c *trio) fill(p *tap, a *app) {
	c.Helper()
	facts, random, number := newLedger(), rand.New(rand.NewPCG(1, 1)), 0
	until(c, "a recording of enough", func() bool {
		number++
		c.visit(a, facts, fmt.Sprint("passer-by ", number), random)
		raft, _ := p.records(raftPort)
		rpc, _ := p.records(rpcPort)
		return min(raft, rpc) >= enough
	})
}
