package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/cluster/membership"
	"ssod/cluster/proof"
	"ssod/cluster/secret"
	"ssod/persistence"
	"ssod/persistence/level"
)

// rogue is a stranger. It returns what it was told at a port of node number id,
// apart from alerts of TLS; an error means that it was not refused as it must be.
type rogue struct {
	name string
	port int
	say  func(f *fortress, to string, id byte) (told []byte, err error)
}

func rogues() []rogue {
	all := []rogue{
		{"raft without a certificate", raftPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return raft(to, f.nobody, f.key, raftGreeting(id, f.id, "n2"))
		}},
		{"raft with a foreign certificate", raftPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return raft(to, f.foreign, f.key, raftGreeting(id, f.id, "n2"))
		}},
		{"raft with another secret", raftPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return raft(to, f.own, secret.Key{1}, raftGreeting(id, f.id, "n2"))
		}},
		{"raft of another cluster", raftPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return raft(to, f.own, f.key, raftGreeting(id, "another", "n2"))
		}},
		{"raft under another name", raftPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return raft(to, f.own, f.key, raftGreeting(id, f.id, "n9"))
		}},
		{"rpc without a certificate", rpcPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return rpc(to, f.nobody, f.key, rpcClaim(id, f.id, "n2"))
		}},
		{"rpc with a foreign certificate", rpcPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return rpc(to, f.foreign, f.key, rpcClaim(id, f.id, "n2"))
		}},
		{"rpc with another secret", rpcPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return rpc(to, f.own, secret.Key{1}, rpcClaim(id, f.id, "n2"))
		}},
		{"rpc of another cluster", rpcPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return rpc(to, f.own, f.key, rpcClaim(id, "another", "n2"))
		}},
		{"rpc under another name", rpcPort, func(f *fortress, to string, id byte) ([]byte, error) {
			return rpc(to, f.own, f.key, rpcClaim(id, f.id, "n9"))
		}},
		{"rpc without a proof", rpcPort, func(f *fortress, to string, _ byte) ([]byte, error) { return frames(to, f.own) }},
		{"gossip without the secret", gossipPort, func(f *fortress, to string, _ byte) ([]byte, error) { return f.gossips(to) }},
		{"gossip with another secret", gossipPort, func(f *fortress, to string, _ byte) ([]byte, error) { return f.gossips(to, secret.Key{1}) }},
		{"gossip datagrams", gossipPort, func(_ *fortress, to string, _ byte) ([]byte, error) { return datagrams(to) }},
	}
	for name, port := range map[string]int{"raft": raftPort, "rpc": rpcPort, "gossip": gossipPort} {
		for what, text := range noise() {
			all = append(all, rogue{name + " " + what, port, func(_ *fortress, to string, _ byte) ([]byte, error) { return talk(to, text) }})
		}
	}
	return all
}

// noise is what is not even TLS.
func noise() map[string]string {
	random := make([]byte, 4<<10)
	_, _ = rand.Read(random) // never fails
	return map[string]string{
		"random bytes":          string(random),
		"zeros":                 string(make([]byte, 4<<10)),
		"HTTP":                  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"HTTP/2":                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"a greeting":            "ssod\x00\x02" + string(random[:32]),
		"a forged proof":        "ssod\x00\x02" + string(random[:32+32]) + "\x00\x10" + string(random[:16]),
		"an oversized frame":    "\xff\xff\xff\xff" + strings.Repeat("x", 64<<10),
		"an oversized record":   "\x16\x03\x01\xff\xff" + strings.Repeat("\x00", 64<<10),
		"an oversized push":     "\x0a\xff\xff\xff\xff" + strings.Repeat("x", 64<<10),
		"a labelled push":       "\xf4\x06ssod-1\x06" + string(random[:200]),
		"half of a TLS record":  "\x16\x03\x01\x02\x00\x01",
		"an empty message at 1": "\x00",
	}
}

// TestRoguePeersLearnNothing knocks at the three ports that nodes keep for each
// other, at each node, as everybody who is none of them. Nobody is let in or told
// anything, nothing changes, and nothing is left behind.
func TestRoguePeersLearnNothing(t *testing.T) {
	t.Parallel()
	f := startFortress(t)
	a := f.mustApp("one")
	before, costs := f.view(), f.costs()
	var knocking sync.WaitGroup
	for _, r := range rogues() {
		for i, n := range f.nodes {
			knocking.Go(func() { f.knock(r, n.Addresses[r.port], byte(i+1)) })
		}
	}
	knocking.Wait()
	f.unmoved(t, a, before, costs)
	t.Logf("rogues=%d nodes=%d: refused, nothing told", len(rogues()), len(f.nodes))
}

// knock lets a stranger try, and judges what he was told.
func (f *fortress) knock(r rogue, to string, id byte) {
	told, err := r.say(f, to, id)
	if err != nil {
		f.Errorf("%s: %v", r.name, err)
	}
	for _, secret := range []string{f.id, string(f.key[:]), "127.0.0.1:"} {
		if bytes.Contains(told, []byte(secret)) {
			f.Errorf("%s was told %q: %q", r.name, secret, told)
		}
	}
	if len(told) > 200 {
		f.Errorf("%s was told %d bytes: %q", r.name, len(told), told[:200])
	}
}

// raft dials, proves a secret and greets. It returns what the node says, whatever
// the secret is worth.
func raft(to string, papers *tls.Config, key secret.Key, greeting string) ([]byte, error) {
	return prove(to, papers, key, secret.Raft, greeting)
}

// rpc does the same at the port of the actors.
func rpc(to string, papers *tls.Config, key secret.Key, claim string) ([]byte, error) {
	return prove(to, papers, key, secret.RPC, claim)
}

func prove(to string, papers *tls.Config, key secret.Key, use secret.Use, statement string) ([]byte, error) {
	raw, err := net.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	conn := tls.Client(raw, papers)
	if conn.Handshake() != nil {
		return nil, nil
	}
	state, ring := conn.ConnectionState(), &secret.Ring{}
	if err := ring.Set([]secret.Key{key}); err != nil {
		return nil, err
	}
	answer, err := proof.Dial(conn, proof.Port{Ring: ring, Use: use, Address: to, TLS: &state}, []byte(statement))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("still connected after %v", patience)
	case err == nil && answer[0] != raftRefusal:
		return answer, errLetIn
	}
	return answer, nil
}

// raftRefusal begins what a node says to one that it does not let in.
const raftRefusal = 2

// raftGreeting is what node 2 says of itself.
func raftGreeting(to byte, cluster, name string) string {
	b := append([]byte("\x01\x01"), 0, 0, 0, to, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1)
	b = append(b, 0, level.Oldest, 0, level.Newest, 0, level.Newest) // format levels: those it knows, and that of the cluster
	b = persistence.Boots{Number: 1, Incarnations: []uint64{1}}.Append(b)
	for _, s := range []string{cluster, name, ""} {
		b = append(append(b, byte(len(s))), s...)
	}
	return string(b)
}

// rpcClaim is what node 2 says of itself at the port of the actors.
func rpcClaim(to byte, cluster, name string) string {
	b := append([]byte("\x01"), 0, 0, 0, to, 0, 0, 0, 2)
	for _, s := range []string{cluster, name} {
		b = append(append(b, 0, byte(len(s))), s...)
	}
	return string(b)
}

// talk sends text as it is.
func talk(to, text string) ([]byte, error) {
	conn, err := net.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return untilEnd(conn, text)
}

// patience is how long a node may leave a stranger waiting.
const patience = time.Minute

// untilEnd sends text and returns everything that comes back until the node ends
// the connection, which it must.
func untilEnd(conn net.Conn, text string) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	_, _ = io.WriteString(conn, text) // it may be refused before
	told, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return told, fmt.Errorf("still connected after %v", patience)
	}
	if len(told) == 7 && told[0] == 21 { // an alert in clear
		return nil, nil
	}
	return told, nil // a connection may be reset, too
}

// errLetIn says that a node took a stranger for one of its own.
var errLetIn = errors.New("let in")

// frames begins to send actor messages and proves nothing.
func frames(to string, papers *tls.Config) ([]byte, error) {
	raw, err := net.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	conn := tls.Client(raw, papers)
	if conn.Handshake() != nil {
		return nil, nil
	}
	return untilEnd(conn, "\x00\x00\x00\x07\x01\x0e\x6c\xd1\x97\x01\x04") // a frame with a ping
}

// gossips joins the gossip and returns whom it got to know.
func (f *fortress) gossips(to string, keys ...secret.Key) (known []byte, err error) {
	g, err := membership.Open(membership.Config{
		Name: "n9", Incarnation: 1, Listen: "127.0.0.1:0", Keys: keys, Join: []string{to}, Retry: 20 * time.Millisecond,
		Meta: membership.Meta{Cluster: f.id, NodeID: 9}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	defer g.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); g.Trouble() == membership.ErrAlone && time.Now().Before(end); {
		<-tick.C
	}
	if err := g.Trouble(); err == nil || err == membership.ErrAlone {
		return nil, fmt.Errorf("%w: %w", errLetIn, err)
	}
	for _, m := range g.Members() {
		if m.Name != "n9" {
			known = fmt.Append(known, m)
		}
	}
	return known, nil
}

// datagrams sends noise to the same port by UDP and returns what comes back.
func datagrams(to string) ([]byte, error) {
	conn, err := net.Dial("udp", to)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	for _, text := range noise() {
		if _, err := io.WriteString(conn, text[:min(len(text), 1400)]); err != nil {
			return nil, err
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		return nil, err
	}
	b := make([]byte, 64<<10)
	n, _ := conn.Read(b)
	return b[:n], nil
}
