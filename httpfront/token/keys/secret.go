package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"
)

// versionLength is how much of a client key's id stands in client ids.
const versionLength = 10

func clientVersion(kid string) string { return kid[:min(versionLength, len(kid))] }

// ClientVersion names the key under which the secrets of new clients are
// derived.
func (r *Ring) ClientVersion(now time.Time) (string, error) {
	k := r.snapshot().groups[groupID{use: Client}].signing(now)
	if k == nil {
		return "", fmt.Errorf("client credentials: %w", errNoKey)
	}
	return clientVersion(k.id), nil
}

// ClientVersionLive reports whether clients of that version are still good.
func (r *Ring) ClientVersionLive(version string) bool {
	k := r.snapshot().versions[version]
	return k != nil && !k.isRevoked()
}

// ClientSecret derives the secret of a client from a version of the key; false
// when there is no such version or it was revoked.
func (r *Ring) ClientSecret(version, client string) (string, bool) {
	k := r.snapshot().versions[version]
	if k == nil || k.isRevoked() {
		return "", false
	}
	mac := hmac.New(sha256.New, k.oct)
	mac.Write([]byte(client))
	return b64.EncodeToString(mac.Sum(nil)), true
}
