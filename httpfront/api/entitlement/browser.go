package entitlement

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// secretSize is the length of a drawn secret in characters: 256 bits.
const secretSize = 43

func drawSecret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// cookieName is what a browser is known by that opened a login. It cannot be
// set by another host, where TLS lets us say so.
func cookieName(r *api.Request) (name string, secure bool) {
	if strings.HasPrefix(r.Config.PublicURL, "https:") {
		return "__Host-ssod-login", true
	}
	return "ssod-login", false
}

// browserOf returns the secret of a browser's cookie; empty when it has none.
func browserOf(r *api.Request) string {
	name, _ := cookieName(r)
	for pair := range strings.SplitSeq(string(r.Header(wire.Cookie)), ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if key == name && len(value) == secretSize {
			return value
		}
	}
	return ""
}

// cookie makes a browser keep a secret for as long as a login may take. Lax: it
// comes with the browser's return from the MVPD, and not with what another page
// loads.
func cookie(r *api.Request, secret string, life time.Duration) api.Field {
	name, secure := cookieName(r)
	value := fmt.Sprintf("%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax", name, secret, int(life.Seconds()))
	if secure {
		value += "; Secure"
	}
	return api.Field{Name: "Set-Cookie", Value: value}
}
