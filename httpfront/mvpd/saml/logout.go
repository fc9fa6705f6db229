package saml

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"ssod/httpfront/mvpd"
)

// logoutLife is how long the provider may take to act on a LogoutRequest.
const logoutLife = 10 * time.Minute

// Logout implements [mvpd.Connector]: the single logout profile (SAML Profiles 2.0, 4.4),
// begun here. The provider answers at the logout endpoint, [Connector.Hear]. Where it has
// no endpoint for browsers, or cannot be known now, the login here ends all the same.
func (c *Connector) Logout(ctx context.Context, l mvpd.Logout) (mvpd.Step, error) {
	var h handle
	if json.Unmarshal(l.Handle, &h) != nil {
		return mvpd.Step{}, nil
	}
	o, err := c.ready(ctx)
	if err != nil {
		return mvpd.Step{}, nil
	}
	back, err := url.Parse(l.Return)
	if err != nil {
		return mvpd.Step{}, err
	}
	state := back.Query().Get("state")
	return o.send(o.slo, requestParameter, state, func(to string) *etree.Element { return o.logoutRequest(h, to, state) })
}

// logoutID is the ID of a LogoutRequest. It is derived from the state of the logout, so it
// is not stored either.
func logoutID(state string) string {
	sum := sha256.Sum256([]byte("logout\x00" + state))
	return "_" + base64.RawURLEncoding.EncodeToString(sum[:])
}

func (o *ours) logoutRequest(h handle, to, state string) *etree.Element {
	now := o.now().UTC()
	until := now.Add(logoutLife)
	request := &crewjam.LogoutRequest{
		ID: logoutID(state), Version: version, IssueInstant: now, NotOnOrAfter: &until, Destination: to,
		Issuer: &crewjam.Issuer{Format: entityFormat, Value: o.entityID()},
		NameID: &crewjam.NameID{Value: h.Value, Format: h.Format, NameQualifier: h.Qualifier, SPNameQualifier: h.SPQualifier},
	}
	if h.Session != "" {
		request.SessionIndex = &crewjam.SessionIndex{Value: h.Session}
	}
	return request.Element()
}

// Word is what a provider says at the logout endpoint here.
type Word struct {
	// Request says that it is a LogoutRequest, to be answered with [Connector.Answer];
	// else it is the answer to a logout that began here.
	Request bool
	// End is what a request ends.
	End mvpd.End
	// State is the RelayState: of an answer that of the logout here.
	State string
	// Problem is what is wrong with an answer. The login here has ended before, so
	// operators are told and the browser goes on.
	Problem error

	id string // of the request
}

// Outcome is how a LogoutRequest ended.
type Outcome int

// The outcomes.
const (
	Ended   Outcome = iota // the logins are no more
	Refused                // the request does not count
	Failed                 // the logins may still be there
)

// Answer tells the provider how its LogoutRequest ended: where the browser goes next. The
// zero Step means that the provider wants no answer.
func (c *Connector) Answer(ctx context.Context, w Word, how Outcome) (mvpd.Step, error) {
	o, err := c.ready(ctx)
	if err != nil {
		return mvpd.Step{}, err
	}
	return o.send(o.slo, responseParameter, w.State, func(to string) *etree.Element { return o.logoutResponse(w, how, to) })
}

func (o *ours) logoutResponse(w Word, how Outcome, to string) *etree.Element {
	response := &crewjam.LogoutResponse{
		ID: "_" + rand.Text(), InResponseTo: w.id, Version: version, IssueInstant: o.now().UTC(), Destination: to,
		Issuer: &crewjam.Issuer{Format: entityFormat, Value: o.entityID()},
		Status: crewjam.Status{StatusCode: statusCode(how)},
	}
	return response.Element()
}

// statusCode is the status of an answer; SAML Core 2.0, 3.2.2.2.
func statusCode(how Outcome) crewjam.StatusCode {
	second := func(first, code string) crewjam.StatusCode {
		return crewjam.StatusCode{Value: statusPrefix + first, StatusCode: &crewjam.StatusCode{Value: statusPrefix + code}}
	}
	switch {
	case how == Failed:
		return crewjam.StatusCode{Value: statusPrefix + "Responder"}
	case how == Refused:
		return second("Requester", "RequestDenied")
	}
	return crewjam.StatusCode{Value: statusSuccess}
}
