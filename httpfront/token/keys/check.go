package keys

import (
	"fmt"
	"strings"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keyurl"
)

// CheckIssuer finds the mistakes that can be seen in an external issuer before
// it is used: a file that does not hold keys, a URL that is not safe, a name
// that belongs to somebody else. The warning is about keys that are left out.
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
