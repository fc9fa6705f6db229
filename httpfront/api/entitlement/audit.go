package entitlement

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"google.golang.org/protobuf/proto"

	"ssod/actors/login"
	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/mvpd"
)

// audit writes a line of cmd/ssod/docs/security.md#audit-log about a login. It names the
// viewer by a keyed digest only.
func (s *Service) audit(r *api.Request, what string, at place, subject string, more ...any) {
	line := []any{"audit", true, "realm", at.realm, "serviceProvider", at.serviceProvider, "mvpd", at.mvpd}
	if subject != "" {
		line = append(line, "viewer", s.auditName(at, subject))
	}
	s.Log.Info(what, append(append(line, more...), "trace", string(r.AppendTrace(nil)))...)
}

// auditName is how audit lines name a viewer of an MVPD: the same in every line of the realm
// until its audit key rotates, and meaningless without the key.
func (s *Service) auditName(at place, subject string) string {
	mac := hmac.New(sha256.New, s.Tokens.AuditKey(at.realm))
	mac.Write([]byte("viewer of a provider\x00" + at.mvpd + "\x00" + subject))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// placeOf is the place of a login in the request's realm. An MVPD that is not configured
// any more has no name.
func placeOf(r *api.Request, serviceProvider string, p *mvpd.Provider) place {
	at := place{r.Realm.ID, serviceProvider, "other"}
	if p != nil {
		at.mvpd = p.Config.ID
	}
	return at
}

// loginEnded counts and audits the end of a login. code is the app's error; "" says that
// the viewer is logged in.
func (s *Service) loginEnded(r *api.Request, at place, by *session.Party, subject, code string) {
	outcome, device := outcomeOf(code), deviceOf(by)
	s.Metrics.loginEnded(at, device, outcome)
	s.audit(r, "login "+outcome, at, subject, "device", device)
}

// deviceOf is the type of a device, one of a short list; package headers.
func deviceOf(by *session.Party) string {
	if kind := by.GetDeviceType(); kind != "" {
		return kind
	}
	return "unknown"
}

// loggedOut counts and audits that an app has ended a login.
func (s *Service) loggedOut(r *api.Request, at place, encoded []byte) error {
	account := &login.Account{}
	if err := proto.Unmarshal(encoded, account); err != nil {
		return err
	}
	s.Metrics.loggedOut(at, byApp, 1)
	s.audit(r, "logout", at, account.GetSubject(), "by", byApp)
	return nil
}
