package linkdirectory

import (
	"bytes"
	"errors"
	"testing"
)

func TestOwnersAreSealed(t *testing.T) {
	c, other := newCoder([]byte("key")), newCoder([]byte("another key"))
	for _, name := range [][2]string{{"sso", "viewer"}, {"https://issuer.example", ""}, {"", "viewer"}} {
		sealed := c.seal(name[0], name[1])
		if namespace, subject, err := c.open(sealed); err != nil || namespace != name[0] || subject != name[1] {
			t.Errorf("%q: got %q %q %v", name, namespace, subject, err)
		}
		if bytes.Contains(sealed, []byte("viewer")) || bytes.Equal(sealed, c.seal(name[0], name[1])) {
			t.Errorf("%q: sealed to %q", name, sealed)
		}
		sealed[len(sealed)-1] ^= 1
		if _, _, err := c.open(sealed); !errors.Is(err, errOwner) {
			t.Errorf("damaged: got %v", err)
		}
	}
	if _, _, err := other.open(c.seal("sso", "viewer")); !errors.Is(err, errOwner) {
		t.Errorf("under another key: got %v", err)
	}
}
