package node

import (
	"crypto/x509"
	"testing"

	"ssod/cluster/placement"
)

// TestARemovedNodeIsKnownByItsCertificate covers names that were given again and
// nodes that nobody has heard of yet.
func TestARemovedNodeIsKnownByItsCertificate(t *testing.T) {
	gone := placement.NodeState_REMOVED
	n := &Node{book: placement.NewBook(
		placement.Node{ID: 1, Name: "n1"}, placement.Node{ID: 2, Name: "n2", State: gone},
		placement.Node{ID: 3, Name: "n3", State: gone}, placement.Node{ID: 4, Name: "n3"},
	)}
	for name, want := range map[string]bool{"n1": false, "n2": true, "n3": false, "new": false} {
		if got := n.removed(&x509.Certificate{DNSNames: []string{name}}); got != want {
			t.Errorf("%s is removed: got %v, want %v", name, got, want)
		}
	}
}
