package proof_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/cluster/proof"
	"ssod/cluster/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ring(t *testing.T, keys ...byte) *secret.Ring {
	t.Helper()
	var all []secret.Key
	for _, k := range keys {
		all = append(all, secret.Key{k})
	}
	r, err := secret.NewRing(all...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// end is what one end of a connection learned.
type end struct {
	heard string
	err   error
}

// wire is a connection whose two ends cannot wait for each other for ever.
func wire(t *testing.T) (dialer, acceptor net.Conn) {
	t.Helper()
	a, b := net.Pipe()
	for _, c := range []net.Conn{a, b} {
		if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	return a, b
}

// accept is the accepting end, which answers "welcome".
func accept(c net.Conn, p proof.Port) <-chan end {
	done := make(chan end, 1)
	go func() {
		defer c.Close()
		guest, err := proof.Accept(c, p)
		if err != nil {
			done <- end{"", err}
			return
		}
		done <- end{string(guest.Statement), guest.Answer([]byte("welcome"))}
	}()
	return done
}

func dial(c net.Conn, p proof.Port) end {
	defer c.Close()
	answer, err := proof.Dial(c, p, []byte("hello"))
	return end{string(answer), err}
}

func TestBothEndsProve(t *testing.T) {
	for name, tt := range map[string]struct {
		dialer, acceptor proof.Port
		good             bool
	}{
		"one secret":                 {proof.Port{Ring: ring(t, 1)}, proof.Port{Ring: ring(t, 1)}, true},
		"a new one behind":           {proof.Port{Ring: ring(t, 1)}, proof.Port{Ring: ring(t, 1, 2)}, true},
		"a new one in front":         {proof.Port{Ring: ring(t, 1, 2)}, proof.Port{Ring: ring(t, 2, 1)}, true},
		"the old one is gone":        {proof.Port{Ring: ring(t, 2, 1)}, proof.Port{Ring: ring(t, 2)}, true},
		"another secret":             {proof.Port{Ring: ring(t, 1)}, proof.Port{Ring: ring(t, 2)}, false},
		"the acceptor lacks it":      {proof.Port{Ring: ring(t, 1, 2)}, proof.Port{Ring: ring(t, 2)}, false},
		"the dialer lacks it":        {proof.Port{Ring: ring(t, 2)}, proof.Port{Ring: ring(t, 1, 2)}, false},
		"another port":               {proof.Port{Ring: ring(t, 1), Use: secret.Raft}, proof.Port{Ring: ring(t, 1), Use: secret.RPC}, false},
		"another address was dialed": {proof.Port{Ring: ring(t, 1), Address: "a:1"}, proof.Port{Ring: ring(t, 1), Address: "a:2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := wire(t)
			accepted := accept(b, tt.acceptor)
			dialed := dial(a, tt.dialer)
			got := <-accepted
			if tt.good {
				if dialed != (end{"welcome", nil}) || got != (end{"hello", nil}) {
					t.Errorf("dialer: %v, acceptor: %v", dialed, got)
				}
				return
			}
			if dialed.err == nil || got.err == nil || dialed.heard+got.heard != "" {
				t.Errorf("dialer: %v, acceptor: %v", dialed, got)
			}
			if !errors.Is(dialed.err, proof.ErrSecret) && !errors.Is(got.err, proof.ErrSecret) {
				t.Errorf("none of them says that the secret is not proven: %v, %v", dialed.err, got.err)
			}
		})
	}
}

// TestTheSecretIsChangedWhileInUse: what is asked for is the secret of the moment.
func TestTheSecretIsChangedWhileInUse(t *testing.T) {
	mine, theirs := ring(t, 1), ring(t, 1)
	for _, step := range []struct {
		change *secret.Ring
		keys   []secret.Key
	}{
		{mine, []secret.Key{{1}, {2}}},
		{theirs, []secret.Key{{1}, {2}}},
		{mine, []secret.Key{{2}, {1}}},
		{theirs, []secret.Key{{2}, {1}}},
		{mine, []secret.Key{{2}}},
		{theirs, []secret.Key{{2}}},
	} {
		if err := step.change.Set(step.keys); err != nil {
			t.Fatal(err)
		}
		a, b := wire(t)
		accepted := accept(b, proof.Port{Ring: theirs})
		if got := dial(a, proof.Port{Ring: mine}); got.err != nil {
			t.Errorf("after a change to %d keys: %v, %v", len(step.keys), got.err, (<-accepted).err)
		}
	}
}

// TestARelayConvincesNobody: who is dialed at an address of his own, and passes
// everything on to a node, gets no statement from either end.
func TestARelayConvincesNobody(t *testing.T) {
	victim, toVictim := wire(t)
	toDecoy, decoy := wire(t)
	accepted := accept(victim, proof.Port{Ring: ring(t, 1), Use: secret.Raft, Address: "victim:1"})
	var overheard [2]bytes.Buffer
	carry := func(to, from net.Conn, heard *bytes.Buffer) {
		_, _ = io.Copy(io.MultiWriter(to, heard), from)
		to.Close()
	}
	both := make(chan struct{}, 2)
	go func() { carry(toVictim, decoy, &overheard[0]); both <- struct{}{} }()
	go func() { carry(decoy, toVictim, &overheard[1]); both <- struct{}{} }()
	dialed := dial(toDecoy, proof.Port{Ring: ring(t, 1), Use: secret.Raft, Address: "decoy:1"})
	if !errors.Is(dialed.err, proof.ErrSecret) || !strings.Contains(dialed.err.Error(), "decoy:1") {
		t.Errorf("dialer: got %v, want ErrSecret that names the address", dialed.err)
	}
	if got := <-accepted; got.err == nil {
		t.Errorf("acceptor: it was told %q", got.heard)
	}
	<-both
	<-both
	for _, b := range overheard {
		if strings.Contains(b.String(), "hello") || strings.Contains(b.String(), "welcome") {
			t.Errorf("the relay heard %q", b.String())
		}
	}
}

// TestWhatANodeSaysIsNotReturnedToIt: the challenge of an acceptor is no claim, and
// what it hears is no challenge.
func TestWhatANodeSaysIsNotReturnedToIt(t *testing.T) {
	p := proof.Port{Ring: ring(t, 1), Use: secret.Raft, Address: "a:1"}
	t.Run("to an acceptor", func(t *testing.T) {
		a, b := wire(t)
		accepted := accept(b, p)
		hello := append([]byte("ssod\x00\x02"), make([]byte, 32)...)
		if _, err := a.Write(hello); err != nil {
			t.Fatal(err)
		}
		challenge := make([]byte, 6+32+32)
		if _, err := io.ReadFull(a, challenge); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write(append(challenge[6+32:], 0, 0)); err != nil { // the MAC, and an empty statement
			t.Fatal(err)
		}
		if got := <-accepted; !errors.Is(got.err, proof.ErrSecret) {
			t.Errorf("got %v, want ErrSecret", got.err)
		}
	})
	t.Run("to a dialer", func(t *testing.T) {
		a, b := wire(t)
		dialed := make(chan end, 1)
		go func() { dialed <- dial(a, p) }()
		hello := make([]byte, 6+32)
		if _, err := io.ReadFull(b, hello); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Write(append(hello, make([]byte, 32)...)); err != nil {
			t.Fatal(err)
		}
		if got := <-dialed; !errors.Is(got.err, proof.ErrSecret) {
			t.Errorf("got %v, want ErrSecret", got.err)
		}
	})
}

// TestAChangedStatementIsNoticed, also where nothing but the proof protects it.
func TestAChangedStatementIsNoticed(t *testing.T) {
	p := proof.Port{Ring: ring(t, 1)}
	for name, change := range map[string][2]string{"of the dialer": {"hello", "hullo"}, "of the acceptor": {"welcome", "welcame"}} {
		t.Run(name, func(t *testing.T) {
			a, carrierA := wire(t)
			carrierB, b := wire(t)
			accepted := accept(b, p)
			forge := func(to, from net.Conn) {
				defer to.Close()
				buffer := make([]byte, 4096)
				for {
					n, err := from.Read(buffer)
					if n > 0 {
						_, _ = to.Write(bytes.ReplaceAll(buffer[:n], []byte(change[0]), []byte(change[1])))
					}
					if err != nil {
						return
					}
				}
			}
			both := make(chan struct{}, 2)
			go func() { forge(carrierB, carrierA); both <- struct{}{} }()
			go func() { forge(carrierA, carrierB); both <- struct{}{} }()
			dialed, got := dial(a, p), <-accepted
			if !errors.Is(errors.Join(dialed.err, got.err), proof.ErrSecret) {
				t.Errorf("dialer: %v, acceptor: %v", dialed, got)
			}
			<-both
			<-both
		})
	}
}

func TestAnotherVersionIsToldWhichIsSpoken(t *testing.T) {
	a, b := wire(t)
	accepted := accept(b, proof.Port{Ring: ring(t, 1)})
	if _, err := io.WriteString(a, "ssod\x00\x09"); err != nil {
		t.Fatal(err)
	}
	told, _ := io.ReadAll(a)
	if got := <-accepted; !errors.Is(got.err, proof.ErrProtocol) || string(told) != "ssod\x00\x02" {
		t.Errorf("told %q, %v", told, got.err)
	}
	a, b = wire(t)
	go func() {
		defer b.Close()
		_, _ = io.ReadFull(b, make([]byte, 6+32))
		_, _ = io.WriteString(b, "ssod\x00\x09")
	}()
	if got := dial(a, proof.Port{Ring: ring(t, 1)}); !errors.Is(got.err, proof.ErrProtocol) || !strings.Contains(got.err.Error(), "version 9, this node speaks 2") {
		t.Errorf("got %v", got.err)
	}
}

func TestALongStatementIsNotSent(t *testing.T) {
	a, b := wire(t)
	accept(b, proof.Port{Ring: ring(t, 1)})
	if _, err := proof.Dial(a, proof.Port{Ring: ring(t, 1)}, make([]byte, proof.MaxStatement+1)); !errors.Is(err, proof.ErrProtocol) {
		t.Errorf("got %v, want ErrProtocol", err)
	}
	a.Close()
}
