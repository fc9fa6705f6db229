package node

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"ssod/cluster/placement"
	"ssod/cluster/transport"
)

// digest is that of a certificate of which only the bytes count.
func digest(text string) []byte {
	f := transport.FingerprintOf(&x509.Certificate{Raw: []byte(text)})
	return f[:]
}

// TestWhoIsPermitted covers ids and names, names that were given again, and the
// certificates of nodes that were removed.
func TestWhoIsPermitted(t *testing.T) {
	gone := placement.NodeState_REMOVED
	n := &Node{nodes: placement.NewRegistry(
		placement.Node{ID: 1, Name: "n1", Certificates: [][]byte{digest("one"), digest("shared")}},
		placement.Node{ID: 2, Name: "n2", State: gone, Certificates: [][]byte{digest("old two"), digest("two"), digest("shared")}},
		placement.Node{ID: 3, Name: "n3", State: gone}, placement.Node{ID: 4, Name: "n3"},
	)}
	for name, tt := range map[string]struct {
		id   placement.NodeID
		name string
		cert string // empty: without TLS
		want error
	}{
		"a member":                                  {1, "n1", "one", nil},
		"without TLS":                               {1, "n1", "", nil},
		"a member's id, another name":               {1, "n4", "", transport.ErrNode},
		"a removed one":                             {2, "n2", "", transport.ErrRemoved},
		"a removed one, and its name is in use":     {3, "n3", "", transport.ErrRemoved},
		"who has the name now":                      {4, "n3", "three", nil},
		"one that this node has not heard of":       {5, "n5", "five", nil},
		"one with a removed one's certificate":      {5, "n2", "two", transport.ErrCertificate},
		"one with an earlier one of it":             {5, "n2", "old two", transport.ErrCertificate},
		"one with that of a member and a removed":   {5, "n5", "shared", nil},
		"who is to join":                            {0, "n6", "six", nil},
		"who is to join with a removed certificate": {0, "n2", "two", transport.ErrCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			var cert *x509.Certificate
			if tt.cert != "" {
				cert = &x509.Certificate{Raw: []byte(tt.cert)}
			}
			err := n.permit(transport.Peer{ID: tt.id, Name: tt.name}, cert)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if tt.want == transport.ErrCertificate && !strings.Contains(err.Error(), "ssoctl readmit n2") {
				t.Errorf("it does not say what to do: %v", err)
			}
		})
	}
}
