package entitlement

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

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
	serial  string // of the tab: when it began, at random, and its stamp
	browser string // the secret of the cookie
}

func (s *Service) newAttempt(r *api.Request, id session.ID, mvpd, browser string) attempt {
	now := strconv.FormatInt(r.Received.UnixMilli(), 36)
	a := attempt{ID: id, mvpd: mvpd, serial: now + "-" + rand.Text(), browser: browser}
	a.serial += s.stamp(r.Realm, &a)
	return a
}

// begun is when the browser was sent to the MVPD.
func (a *attempt) begun() time.Time {
	text, _, _ := strings.Cut(a.serial, "-")
	ms, _ := strconv.ParseInt(text, 36, 64)
	return time.UnixMilli(ms)
}

// stamp proves that an attempt was begun here, without the cookie that its other secrets
// follow from: what is posted with a state that somebody made up is not stored.
func (s *Service) stamp(realm *config.Realm, a *attempt) string {
	mac := hmac.New(sha256.New, s.Tokens.LinkCodeKey(realm.ID))
	mac.Write([]byte("attempt\x00" + a.name()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:stampSize])
}

// The sizes of a stamp, in bytes and as it is written.
const (
	stampSize    = 12
	writtenStamp = stampSize * 4 / 3
)

// stamped reports whether an attempt was begun here.
func (s *Service) stamped(realm *config.Realm, a attempt) bool {
	given := a.serial[max(0, len(a.serial)-writtenStamp):]
	a.serial = a.serial[:len(a.serial)-len(given)]
	return subtle.ConstantTimeCompare([]byte(s.stamp(realm, &a)), []byte(given)) == 1
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
	a, realm, ok := s.named(r, state)
	if a.browser = browserOf(r); !ok || a.browser == "" {
		return attempt{}, api.ErrStranger
	}
	if subtle.ConstantTimeCompare([]byte(s.secrets(realm, &a).State), []byte(state)) != 1 {
		return attempt{}, api.ErrStranger
	}
	r.Realm = realm
	return a, nil
}

// named is the attempt that a state names, and its realm. It was begun here, but whoever
// brings it may have seen it elsewhere.
func (s *Service) named(r *api.Request, state string) (a attempt, realm *config.Realm, ok bool) {
	parts := strings.Split(state, ".")
	if len(parts) != 5 || !validCode(parts[1]) {
		return attempt{}, nil, false
	}
	realm, _, ok = r.Config.ServiceProvider(parts[0])
	a = attempt{ID: session.ID{ServiceProvider: parts[0], Code: parts[1]}, mvpd: parts[2], serial: parts[3]}
	return a, realm, ok && s.stamped(realm, a)
}
