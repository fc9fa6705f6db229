package keys

import (
	"fmt"
	"strings"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keyurl"
)

// CheckIssuer finds the mistakes of an external issuer that show before it is used: a file
// without keys, an unsafe URL, a reserved name. The warning is about ignored keys.
func CheckIssuer(t config.TrustedIssuer) (warning string, err error) {
	if t.Issuer == "" || t.Issuer == OwnIssuer || t.Issuer == NamespaceSSO || strings.HasPrefix(t.Issuer, "platform:") {
		return "", fmt.Errorf("trusted issuer %q: the name is reserved", t.Issuer)
	}
	if t.JWKSURL == "" {
		set, err := readKeys(t)
		return set.Unused.Warning(), err
	}
	if err := keyurl.CheckURL(t.JWKSURL); err != nil {
		return "", fmt.Errorf("trusted issuer %q: jwksURL: %w", t.Issuer, err)
	}
	return "", nil
}
