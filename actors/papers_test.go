package actors

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ssod/cluster/proof"
	"ssod/cluster/secret"
	"ssod/cluster/transport/transporttest"
)

// doors are those of n1, which is dialed at n1:1, and of n2, over TLS.
func doors(t *testing.T) (acceptor, dialer door) {
	t.Helper()
	authority, err := transporttest.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := [2]door{}
	for i, name := range []string{"n1", "n2"} {
		credentials, err := authority.Credentials(name)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := secret.NewRing(secret.Key{1})
		if err != nil {
			t.Fatal(err)
		}
		address := name + ":1"
		all[i] = door{Papers{
			Secrets: ring, Cluster: "c1", Self: Member{uint32(i + 1), name}, Server: credentials.Server(), Client: credentials.Client,
			At: func(address string) (Member, bool) { return Member{1, "n1"}, strings.HasSuffix(address, ":1") },
		}, &atomic.Pointer[string]{}, &callers{}}
		all[i].address.Store(&address)
	}
	return all[0], all[1]
}

func TestPapersAreJudgedByBothSides(t *testing.T) {
	errGone := errors.New("was removed")
	for name, tt := range map[string]struct {
		change func(acceptor, dialer *door)
		at     string
		want   error
		says   string
	}{
		"good papers":       {func(_, _ *door) {}, "n1:1", nil, ""},
		"without TLS":       {func(a, d *door) { a.Server, d.Client = nil, nil }, "n1:1", nil, ""},
		"another address":   {func(_, _ *door) {}, "decoy:1", proof.ErrSecret, "decoy:1"},
		"an unknown one":    {func(_, _ *door) {}, "decoy:2", nil, "no node is known"},
		"another secret":    {func(_, d *door) { _ = d.Secrets.Set([]secret.Key{{2}}) }, "n1:1", proof.ErrSecret, ""},
		"another cluster":   {func(_, d *door) { d.Cluster = "c2" }, "n1:1", ErrStranger, `of cluster \"c2\"`},
		"another's name":    {func(_, d *door) { d.Self.Name = "n3" }, "n1:1", ErrStranger, "it calls itself"},
		"another answers":   {func(a, d *door) { a.Self.ID = 7 }, "n1:1", ErrStranger, "node 1 is wanted"},
		"removed, for one":  {func(a, _ *door) { a.Permit = denying(2, errGone) }, "n1:1", ErrStranger, "was removed"},
		"removed, as other": {func(_, d *door) { d.Permit = denying(1, errGone) }, "n1:1", errGone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			acceptor, dialer := doors(t)
			tt.change(&acceptor, &dialer)
			a, b := net.Pipe()
			defer a.Close()
			accepted := make(chan error, 1)
			go func() {
				defer b.Close()
				_, who, err := acceptor.ServerHandshake(b)
				if err == nil && who.(node).Member != dialer.Self {
					err = errors.New("taken for another")
				}
				accepted <- err
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			_, _, err := dialer.ClientHandshake(ctx, tt.at, a)
			a.Close()
			other := <-accepted
			if good := tt.want == nil && tt.says == ""; good != (err == nil) || good && other != nil {
				t.Fatalf("dialer: %v, acceptor: %v", err, other)
			}
			if tt.want != nil && !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %v with %q", err, tt.want, tt.says)
			}
		})
	}
}

func denying(id uint32, err error) func(Member, *x509.Certificate) error {
	return func(m Member, cert *x509.Certificate) error {
		if m.ID == id {
			return err
		}
		return nil
	}
}

func FuzzClaim(f *testing.F) {
	f.Add(claim{1, "c1", Member{2, "n2"}}.encode())
	f.Add(encodeRefusal(ErrStranger))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := decodeClaim(in)
		switch {
		case err == nil && string(c.encode()) != string(in):
			t.Errorf("encoded again: %q", c.encode())
		case err != nil && !errors.Is(err, proof.ErrProtocol) && !errors.Is(err, ErrStranger):
			t.Errorf("error: %v", err)
		}
	})
}

// TestSilentCallersHaveABound: when one more comes, the one that came first has to go,
// and whoever has shown its papers makes room.
func TestSilentCallersHaveABound(t *testing.T) {
	acceptor, dialer := doors(t)
	shake := func() (theirs net.Conn, ended chan error) {
		ours, theirs := net.Pipe()
		ended = make(chan error, 1)
		go func() {
			_, _, err := acceptor.ServerHandshake(ours)
			ended <- err
		}()
		return theirs, ended
	}
	waiting := func() int {
		acceptor.callers.mu.Lock()
		defer acceptor.callers.mu.Unlock()
		return len(acceptor.callers.conns)
	}
	await := func(n int) {
		t.Helper()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for deadline := time.After(2 * time.Minute); waiting() != n; {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%d wait, want %d", waiting(), n)
			}
		}
	}
	first, gone := shake()
	defer first.Close()
	await(1)
	for i := range maxCallers - 1 {
		silent, ended := shake()
		defer func() { silent.Close(); <-ended }()
		await(i + 2)
	}
	theirs, let := shake()
	defer theirs.Close()
	if err := <-gone; err == nil {
		t.Error("the first one is let in")
	}
	if _, _, err := dialer.ClientHandshake(t.Context(), "n1:1", theirs); err != nil {
		t.Errorf("one with good papers: %v", err)
	}
	if err := <-let; err != nil {
		t.Errorf("one with good papers is refused: %v", err)
	}
	await(maxCallers - 1)
}
