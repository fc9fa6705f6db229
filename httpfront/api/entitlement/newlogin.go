package entitlement

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"ssod/actors/login"
	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// errIdentity says that a connector does not keep to its contract.
var errIdentity = errors.New("identity out of bounds")

// newLogin is what is kept of a viewer who logged in. It lasts as long as the
// configuration says for the device's platform
// (httpfront/docs/entitlement.md#how-long-a-login-lasts), or the MVPD if that is shorter.
func newLogin(r *api.Request, m *config.MVPD, who mvpd.Identity, on *session.Party) (*login.Login, error) {
	account, err := encodeAccount(who)
	if err != nil {
		return nil, err
	}
	ttl := m.AuthnTTL
	if on.GetUnknownPlatform() {
		ttl = min(ttl, m.UnknownTTL)
	}
	until := r.Received.Add(ttl)
	if !who.NotAfter.IsZero() && who.NotAfter.Before(until) {
		until = who.NotAfter
	}
	id := make([]byte, 16)
	rand.Read(id) // never fails
	return &login.Login{
		Id: id, Mvpd: m.ID, Account: account,
		NotBeforeMs: r.Received.UnixMilli(), NotAfterMs: until.UnixMilli(),
	}, nil
}

// encodeAccount checks what a connector says, because it is stored and put into
// answers as it is.
func encodeAccount(who mvpd.Identity) ([]byte, error) {
	a := &login.Account{Subject: who.Subject, Handle: who.Handle}
	size := 0
	for _, attribute := range who.Attributes {
		size += len(attribute.Name) + len(attribute.Value)
		if !json.Valid(attribute.Value) || !utf8.ValidString(attribute.Name) || attribute.Name == "userID" {
			return nil, fmt.Errorf("%w: attribute", errIdentity)
		}
		a.Attributes = append(a.Attributes, &login.Attribute{Name: attribute.Name, Value: normal(attribute.Name, attribute.Value), Encrypted: attribute.Encrypted})
	}
	switch {
	case who.Subject == "" || len(who.Subject) > mvpd.MaxSubject || !utf8.ValidString(who.Subject):
		return nil, fmt.Errorf("%w: subject", errIdentity)
	case len(who.LogoutSubject) > mvpd.MaxSubject || !utf8.ValidString(who.LogoutSubject):
		return nil, fmt.Errorf("%w: subject of logouts", errIdentity)
	case len(who.Session) > mvpd.MaxSubject || !utf8.ValidString(who.Session):
		return nil, fmt.Errorf("%w: session", errIdentity)
	case size > mvpd.MaxAttributes || len(who.Handle) > mvpd.MaxHandle || len(who.Tokens) > mvpd.MaxTokens:
		return nil, fmt.Errorf("%w: size", errIdentity)
	}
	return proto.Marshal(a)
}
