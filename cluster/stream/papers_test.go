package stream

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"ssod/cluster/proof"
	"ssod/cluster/secret"
	"ssod/cluster/transport/transporttest"
)

// doors are those of n1, which is dialed at n1:1, and of n2, over TLS.
func doors(t *testing.T) (acceptor, dialer Papers) {
	t.Helper()
	authority, err := transporttest.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := [2]Papers{}
	for i, name := range []string{"n1", "n2"} {
		credentials, err := authority.Credentials(name)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := secret.NewRing(secret.Key{1})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = Papers{
			Secrets: ring, Cluster: "c1", Self: Member{uint32(i + 1), name}, Server: credentials.Server(), Client: credentials.Client,
			At: func(address string) (Member, bool) { return Member{1, "n1"}, strings.HasSuffix(address, ":1") },
		}
	}
	return all[0], all[1]
}

func TestPapersAreJudgedByBothSides(t *testing.T) {
	errGone := errors.New("was removed")
	for name, tt := range map[string]struct {
		change func(acceptor, dialer *Papers)
		at     string
		want   error
		says   string
	}{
		"good papers":       {func(_, _ *Papers) {}, "n1:1", nil, ""},
		"without TLS":       {func(a, d *Papers) { a.Server, d.Client = nil, nil }, "n1:1", nil, ""},
		"another address":   {func(_, _ *Papers) {}, "decoy:1", proof.ErrSecret, "decoy:1"},
		"an unknown one":    {func(_, _ *Papers) {}, "decoy:2", nil, "no node is known"},
		"another secret":    {func(_, d *Papers) { _ = d.Secrets.Set([]secret.Key{{2}}) }, "n1:1", proof.ErrSecret, ""},
		"another cluster":   {func(_, d *Papers) { d.Cluster = "c2" }, "n1:1", ErrStranger, `of cluster \"c2\"`},
		"another's name":    {func(_, d *Papers) { d.Self.Name = "n3" }, "n1:1", ErrStranger, "it calls itself"},
		"another answers":   {func(a, d *Papers) { a.Self.ID = 7 }, "n1:1", ErrStranger, "node 1 is wanted"},
		"removed, for one":  {func(a, _ *Papers) { a.Permit = denying(2, errGone) }, "n1:1", ErrStranger, "was removed"},
		"removed, as other": {func(_, d *Papers) { d.Permit = denying(1, errGone) }, "n1:1", errGone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			acceptor, dialer := doors(t)
			tt.change(&acceptor, &dialer)
			a, b := net.Pipe()
			defer a.Close()
			accepted := make(chan error, 1)
			go func() {
				defer b.Close()
				c, err := acceptor.admit(t.Context(), b, "n1:1")
				if err == nil && c.member != dialer.Self {
					err = errors.New("taken for another")
				}
				accepted <- err
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			_, err := dialer.greet(ctx, a, tt.at)
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
