package transport_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"ssod/cluster/proof"
	"ssod/cluster/secret"
	"ssod/cluster/transport"
	"ssod/persistence"
)

// frame is a frame as it is on the wire.
func frame(kind byte, payload string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)))) + string(kind) + payload
}

// greeting is what a node says of itself.
func greeting(purpose byte, to, from uint32, cluster, name string) string {
	b := []byte{1, purpose}
	b = binary.BigEndian.AppendUint32(b, to)
	b = binary.BigEndian.AppendUint32(b, from)
	b = binary.BigEndian.AppendUint64(b, 1)
	for _, level := range []uint16{1, 1, 1} { // known, and that of the cluster
		b = binary.BigEndian.AppendUint16(b, level)
	}
	b = persistence.Boots{Number: 1, Incarnations: []uint64{1}}.Append(b)
	for _, s := range []string{cluster, name, ""} {
		b = append(append(b, byte(len(s))), s...)
	}
	return string(b)
}

// greet proves the secret and says statement; then it sends more. It returns what
// the node said with its proof.
func greet(t *testing.T, n *testNode, statement, more string) (net.Conn, string) {
	t.Helper()
	c, err := net.Dial("tcp", n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	answer, err := proof.Dial(c, proof.Port{Ring: ring(t, 1), Use: secret.Raft, Address: n.peer.Addr}, []byte(statement))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, more); err != nil {
		t.Fatal(err)
	}
	return c, string(answer)
}

// all is everything that comes back.
func all(c net.Conn) string {
	b, _ := io.ReadAll(c) // it may be reset after the answer
	return string(b)
}

// TestStrangersLearnNothing: who has not proven that it knows the secret is told
// the version at most.
func TestStrangersLearnNothing(t *testing.T) {
	n := start(t, 1, func(c *transport.Config) { c.Handshake = 20 * time.Millisecond }) // silence is not awaited
	hello := "ssod\x00\x02" + strings.Repeat("n", 32)
	for name, sent := range map[string]string{
		"random bytes":      strings.Repeat("\xde\xad\xbe\xef", 100),
		"HTTP":              "GET / HTTP/1.1\r\n\r\n" + strings.Repeat("x", 100),
		"another version":   "ssod\x00\x01" + strings.Repeat("n", 100),
		"half a greeting":   hello[:20],
		"a greeting":        hello,
		"no proof":          hello + strings.Repeat("\x00", 32) + "\x00\x05hello",
		"a long statement":  hello + strings.Repeat("\x00", 32) + "\xff\xff" + strings.Repeat("x", 4000),
		"an early raft one": hello + frame(3, "raft"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", n.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, sent)
			answer := all(c)
			if len(answer) > 6+32+32 || answer != "" && !strings.HasPrefix(answer, "ssod\x00\x02") {
				t.Errorf("it was told %q", answer)
			}
			for _, known := range []string{"c1", "n1", n.Addr()} {
				if strings.Contains(answer, known) {
					t.Errorf("the answer says %q: %q", known, answer)
				}
			}
			if len(n.Peers()) != 0 || len(n.frames) != 0 {
				t.Errorf("something changed: peers %v, %d frames", n.Peers(), len(n.frames))
			}
		})
	}
}

// TestNodesThatDoNotBelongHereAreRefused, and hear why, for they know the secret.
func TestNodesThatDoNotBelongHereAreRefused(t *testing.T) {
	good := greeting(1, 1, 2, "c1", "n2")
	for name, tt := range map[string]struct{ sent, want string }{
		"nothing":                  {"", "no greeting"},
		"half a greeting":          {good[:15], "short greeting"},
		"too much greeting":        {good + "more", "long greeting"},
		"another cluster":          {greeting(1, 1, 2, "c2", "n2"), "another cluster"},
		"another node wanted":      {greeting(1, 3, 2, "c1", "n2"), "node 3 is wanted"},
		"an unknown purpose":       {greeting(9, 1, 2, "c1", "n2"), "unknown purpose"},
		"this node's own id":       {greeting(1, 1, 1, "c1", "n1"), "id of this node"},
		"no id":                    {greeting(1, 1, 0, "c1", "n0"), "id of this node or none"},
		"a known id, another name": {greeting(1, 1, 5, "c1", "n2"), `is known as "n5"`},
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t, 1)
			know(t, n, transport.Peer{ID: 5, Name: "n5"})
			_, answer := greet(t, n, tt.sent, "")
			if !strings.Contains(answer, tt.want) {
				t.Errorf("answer: got %q, want %q", answer, tt.want)
			}
			eventually(t, "it is logged", func() bool { return n.log.has("a connection was ended") })
			if strings.Contains(answer, "c1") {
				t.Errorf("the answer tells which cluster this is: %q", answer)
			}
			if len(n.Peers()) != 1 || len(n.frames) != 0 {
				t.Errorf("something changed: peers %v, %d frames", n.Peers(), len(n.frames))
			}
		})
	}
}

func TestBadFramesEndTheConnection(t *testing.T) {
	good := greeting(1, 1, 2, "c1", "n2")
	for name, tt := range map[string]struct{ sent, want string }{
		"oversized":      {"\xff\xff\xff\xff", "bad frame"},
		"an empty frame": {"\x00\x00\x00\x00", "bad frame"},
		"a bad kind":     {frame(99, "x"), "bad frame"},
		"a short ping":   {frame(4, "x"), "bad frame"},
		"not understood": {frame(3, "x"), "not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			n := open(t, 1, func(c *transport.Config) { c.MaxFrame = 1 << 10 })
			n.refuse = errTest
			n.Start(n.recorder)
			c, _ := greet(t, n, good, tt.sent)
			if answer := all(c); !strings.Contains(answer, tt.want) {
				t.Errorf("answer: got %q, want %q", answer, tt.want)
			}
			if len(n.frames) != 0 {
				t.Error("a frame was delivered")
			}
		})
	}
}

func TestATruncatedFrameIsNotDelivered(t *testing.T) {
	n := start(t, 1)
	whole := frame(3, "a whole frame")
	c, _ := greet(t, n, greeting(1, 1, 2, "c1", "n2"), whole+whole[:10])
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "the whole frame", n.frames); got != "2: a whole frame" {
		t.Errorf("got %q", got)
	}
	eventually(t, "the end is noticed", func() bool { return n.log.has("unexpected EOF") })
	if len(n.frames) != 0 {
		t.Error("half a frame was delivered")
	}
}

// TestARefusalIsNoLoss: the process at the other end lives, so nobody should
// stand for election.
func TestARefusalIsNoLoss(t *testing.T) {
	a := start(t, 1)
	foreign := start(t, 2, func(c *transport.Config) { c.Cluster = "c2" })
	know(t, a, foreign.peer)
	eventually(t, "the reason is logged", func() bool { return a.log.has("another cluster") })
	silent(t, a)

	deaf := open(t, 3)
	deaf.refuse = errTest
	deaf.Start(deaf.recorder)
	know(t, a, deaf.peer)
	connected(t, a, 3)
	a.Send(3, []byte("x"))
	eventually(t, "the reason is logged", func() bool { return a.log.has("not understood") })
	if receive(t, "an unreachable node", a.unreachable) != 3 || len(a.lost) != 0 {
		t.Error("the node counts as lost")
	}
}

func silent(t *testing.T, n *testNode) {
	t.Helper()
	if len(n.lost)+len(n.unreachable) != 0 {
		t.Errorf("the engine heard of %d lost and %d unreachable nodes", len(n.lost), len(n.unreachable))
	}
}

func TestOnlyNodesOfTheAuthorityGetIn(t *testing.T) {
	authority, other := newAuthority(t), newAuthority(t)
	n := start(t, 1, secured(t, authority))
	for name, tt := range map[string]struct {
		option option
		want   string // in the log of the one that dials
	}{
		"no TLS":            {func(*transport.Config) {}, "no connection"},
		"another authority": {secured(t, other), "certificate"},
		"another's certificate": {func(c *transport.Config) {
			c.Credentials, _ = authority.Credentials("n7")
		}, "another node than expected"},
	} {
		t.Run(name, func(t *testing.T) {
			stranger := start(t, 2, tt.option)
			know(t, stranger, n.peer)
			eventually(t, "the reason is logged", func() bool { return stranger.log.has(tt.want) })
			if len(n.Peers()) != 0 {
				t.Errorf("peers: %v", n.Peers())
			}
		})
	}
}

// TestANodeIsNotTakenForAnother: who dials n2 and reaches somebody with the
// certificate of n3 says nothing more.
func TestANodeIsNotTakenForAnother(t *testing.T) {
	authority := newAuthority(t)
	a, c := start(t, 1, secured(t, authority)), start(t, 3, secured(t, authority))
	know(t, a, transport.Peer{ID: 2, Name: "n2", Addr: c.Addr()})
	eventually(t, "the reason is logged", func() bool { return a.log.has("n2") && a.log.has("certificate") })
	silent(t, a)
}

func TestOldTLSIsRefused(t *testing.T) {
	authority := newAuthority(t)
	n := start(t, 1, secured(t, authority))
	files, err := authority.Issue("n2")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	old := &tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true, Certificates: []tls.Certificate{cert}}
	if c, err := tls.Dial("tcp", n.Addr(), old); err == nil {
		c.Close()
		t.Error("TLS 1.2 was accepted")
	}
}

func TestCredentialsAreChecked(t *testing.T) {
	authority, other := newAuthority(t), newAuthority(t)
	good, err := authority.Issue("n1")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Issue("n1")
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Issue("server", x509.ExtKeyUsageServerAuth)
	if err != nil {
		t.Fatal(err)
	}
	exposed, err := authority.Issue("n3")
	if err = errors.Join(err, os.Chmod(exposed.Key, 0o644)); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir() + "/empty"
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		files transport.Files
		node  string
		want  string
	}{
		"good":                {good, "n1", ""},
		"another node":        {good, "n2", `it must name "n2"`},
		"another key":         {transport.Files{Cert: good.Cert, Key: foreign.Key, CA: good.CA}, "n1", "does not match"},
		"another authority":   {transport.Files{Cert: good.Cert, Key: good.Key, CA: foreign.CA}, "n1", "other nodes will refuse it"},
		"a key for everybody": {exposed, "n3", "others have access to it"},
		"not for clients":     {server, "server", "other nodes will refuse it"},
		"no file":             {transport.Files{Cert: "gone", Key: good.Key, CA: good.CA}, "n1", "gone"},
		"no authority":        {transport.Files{Cert: good.Cert, Key: good.Key, CA: empty}, "n1", "no certificate in it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := transport.LoadCredentials(tt.files, tt.node)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestCertificatesAreRenewed: new files serve the next connection, and a file
// that is half written does no harm.
func TestCertificatesAreRenewed(t *testing.T) {
	authority := newAuthority(t)
	a, b := start(t, 1, secured(t, authority)), start(t, 2, secured(t, authority))
	files, err := authority.Issue("n2") // over the old ones
	if err != nil {
		t.Fatal(err)
	}
	want, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	creds, err := authority.Credentials("n3")
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.Dial("tcp", b.Addr(), creds.Client("n2"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.ConnectionState().PeerCertificates[0].Equal(want.Leaf) {
		t.Error("the old certificate is shown")
	}
	if err := os.WriteFile(files.Cert, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	know(t, a, b.peer)
	connected(t, a, 2)
}

// TestNoiseDoesNoHarm: while others send what comes to their mind, nodes go on.
func TestNoiseDoesNoHarm(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t, options...)
			noise := rand.NewChaCha8([32]byte{7})
			beginnings := []string{"", "ssod\x00\x02", "ssod\x00\x02" + strings.Repeat("n", 32), "\x16\x03\x01"}
			for i := range 200 {
				bytes := make([]byte, i)
				_, _ = noise.Read(bytes)
				shout(t, b.Addr(), beginnings[i%len(beginnings)]+string(bytes))
			}
			a.Send(2, []byte("hello"))
			if got := receive(t, "a frame", b.frames); got != "1: hello" {
				t.Errorf("got %q", got)
			}
			silent(t, a)
		})
	}
}

// shout sends bytes and does not listen.
func shout(t *testing.T, addr, text string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, text)
}

// TestSlowStrangersAreSentAway: who connects and says nothing holds no place.
func TestSlowStrangersAreSentAway(t *testing.T) {
	n := start(t, 1, func(c *transport.Config) { c.Handshake = 50 * time.Millisecond })
	c, err := net.Dial("tcp", n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection stays open: %v", err)
	}
}
