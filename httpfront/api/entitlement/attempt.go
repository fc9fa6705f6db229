package entitlement

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// attempt is one tab of a browser on its way through the login of a session. Nothing is
// stored of it: a code can be opened any number of times. Its secrets are derived from the
// browser's cookie, so that only this browser can come back with a matching state.
type attempt struct {
	session.ID
	mvpd    string // where the browser was sent
	serial  string // of the tab
	browser string // the secret of the cookie
}

func newAttempt(id session.ID, mvpd, browser string) attempt {
	return attempt{ID: id, mvpd: mvpd, serial: rand.Text(), browser: browser}
}

// name is what the state of an attempt begins with. Ids and codes have no dots.
func (a *attempt) name() string {
	return strings.Join([]string{a.ServiceProvider, a.Code, a.mvpd, a.serial}, ".")
}

// secrets are the same at both ends of a login.
func (s *Service) secrets(realm *config.Realm, a *attempt) mvpd.Secrets {
	return mvpd.DeriveSecrets(s.browserKey(realm, a.browser), a.name())
}

// browserKey is a key for what belongs to one browser. The realm's own key is part
// of it, so that a browser's owner cannot make what only the service can.
func (s *Service) browserKey(realm *config.Realm, browser string) []byte {
	mac := hmac.New(sha256.New, s.Tokens.LinkCodeKey(realm.ID))
	mac.Write([]byte("browser\x00" + browser))
	return mac.Sum(nil)
}

// cameBack finds the attempt that a browser comes back from an MVPD with, and its
// realm, which the path does not name. It must be the browser that was sent there,
// with the state that it was sent with.
func (s *Service) cameBack(r *api.Request, state string) (attempt, error) {
	a, realm, ok := named(r, state)
	if a.browser = browserOf(r); !ok || a.browser == "" {
		return attempt{}, api.ErrStranger
	}
	if subtle.ConstantTimeCompare([]byte(s.secrets(realm, &a).State), []byte(state)) != 1 {
		return attempt{}, api.ErrStranger
	}
	r.Realm = realm
	return a, nil
}

// named is the attempt that a state names, and its realm, whoever brings it: nothing is
// proven by it.
func named(r *api.Request, state string) (a attempt, realm *config.Realm, ok bool) {
	parts := strings.Split(state, ".")
	if len(parts) != 5 || !validCode(parts[1]) {
		return attempt{}, nil, false
	}
	realm, _, ok = r.Config.ServiceProvider(parts[0])
	return attempt{ID: session.ID{ServiceProvider: parts[0], Code: parts[1]}, mvpd: parts[2], serial: parts[3]}, realm, ok
}
