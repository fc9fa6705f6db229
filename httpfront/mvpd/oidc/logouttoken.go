package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"ssod/httpfront/mvpd"
	"ssod/httpfront/strictjson"
	"ssod/httpfront/token/jose"
)

// logoutEvent is the member of events that makes a token a logout token; OpenID Connect
// Back-Channel Logout 1.0, 2.4.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// LogoutToken implements [mvpd.LogoutReceiver]: OpenID Connect Back-Channel Logout 1.0, 2.6.
// Anybody can send one, so what needs no key is judged first.
func (c *Connector) LogoutToken(ctx context.Context, token string) (mvpd.End, error) {
	end, err := c.readLogout([]byte(token))
	if err != nil {
		return mvpd.End{}, notLogout(err)
	}
	p, err := c.discovery.get(ctx)
	if err != nil {
		return mvpd.End{}, err
	}
	if _, err := p.logoutKeys.VerifySignature(ctx, token); err != nil {
		if _, unreached := errors.AsType[*url.Error](err); unreached && !errors.Is(err, errKeysLately) {
			return mvpd.End{}, fmt.Errorf("keys of a logout token: %w", err)
		}
		return mvpd.End{}, notLogout(err)
	}
	if _, err := p.logouts.VerifyLogout(ctx, token); err != nil {
		return mvpd.End{}, notLogout(brief(err))
	}
	return end, nil
}

func notLogout(err error) error {
	return &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: fmt.Errorf("logout token: %w", err)}
}

// readLogout reads a token as strictly as every other one, and judges what says that it
// is a logout token and no other, and when it is from. Issuer, audience and signature are
// go-oidc's part.
func (c *Connector) readLogout(token []byte) (end mvpd.End, err error) {
	t, read := jose.ParseSigned(token)
	claims, object := jose.ParseClaims(t.Payload)
	if !read || !object {
		return end, errUnreadable
	}
	if !logoutType(t.Type) {
		return end, errors.New("it is a token of another type")
	}
	payload, _ := strictjson.Parse(t.Payload) // ParseClaims has read it
	if _, has := payload.Member("nonce"); has {
		return end, errors.New("it has a nonce, as ID tokens have")
	}
	events, _ := payload.Member("events")
	if event, _ := events.Member(logoutEvent); event.Kind() != strictjson.Object {
		return end, errors.New("it tells of another event")
	}
	session, _ := payload.Member("sid")
	if end, err = whoLeaves(claims.Subject, session); err != nil {
		return end, err
	}
	end.Issued, end.Once, err = c.whenLeft(&claims)
	return end, err
}

// logoutType reports whether typ may be that of a logout token: its own one, which is
// recommended, or one that says no more than that it is a JWT; Back-Channel Logout, 2.4.
func logoutType(typ string) bool {
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "logout+jwt":
		return true
	}
	return false
}

// whoLeaves is the viewer, a session, or both: then it is this session.
func whoLeaves(subject, session strictjson.Value) (end mvpd.End, err error) {
	if subject.Kind() != strictjson.Absent {
		if end.Subject, _ = subject.Text(); !isID(end.Subject) {
			return end, errors.New("its sub is no id")
		}
	}
	if session.Kind() != strictjson.Absent {
		id, _ := session.Text()
		if !isID(id) {
			return end, errors.New("its sid is no id")
		}
		end.Sessions = []string{id}
	}
	if end.Subject == "" && len(end.Sessions) == 0 {
		return end, errors.New("it names neither a subject nor a session")
	}
	return end, nil
}

func isID(text string) bool { return text != "" && len(text) <= mvpd.MaxSubject }

// whenLeft is the time of a logout token, and its id with the time until which it must
// not come again. One that is good for longer than ids are remembered does no harm when
// it comes again: it is about logins from before it was issued.
func (c *Connector) whenLeft(claims *jose.Claims) (issued time.Time, once mvpd.Once, err error) {
	now := c.discovery.now()
	times, dated := claims.Times()
	once.ID, _ = claims.ID.Text()
	switch {
	case !dated || times.IssuedAt.IsZero():
		return issued, once, errors.New("it has no times")
	case !times.Begun(now):
		return issued, once, errors.New("it is from the future")
	case !now.Before(times.Expires):
		return issued, once, errors.New("it has expired")
	case once.ID == "" || len(once.ID) > mvpd.MaxID:
		return issued, once, errors.New("it has no id")
	}
	once.Until = times.Expires
	if latest := now.Add(mvpd.MaxUntil); latest.Before(once.Until) {
		once.Until = latest
	}
	return times.IssuedAt, once, nil
}
