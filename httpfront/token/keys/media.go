package keys

import (
	"fmt"
	"time"
)

// SignMedia signs the text of a media token with the realm's key: RSASSA
// PKCS #1 v1.5 with SHA-256 (httpfront/docs/entitlement.md#media-tokens). The text is
// XML, so that a signature never fits a JWS, which has no angle brackets.
func (r *Ring) SignMedia(realm, text string, now time.Time) ([]byte, error) {
	k := r.snapshot().groups[groupID{Media, realm}].signing(now)
	if k == nil {
		return nil, fmt.Errorf("media token of realm %s: %w", realm, errNoKey)
	}
	return k.method.Sign(text, k.private)
}
