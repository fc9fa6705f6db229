package saml_test

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"html"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/saml"
)

// foreign is a provider by crewjam's implementation of one, which encrypts for us.
type foreign struct {
	crewjam.IdentityProvider
	*fixture
	participants []crewjam.SessionParticipant
}

func connectForeign(t *testing.T) *foreign {
	t.Helper()
	at := func(path string) url.URL { return url.URL{Scheme: "https", Host: "idp.foreign.example", Path: path} }
	p := &foreign{}
	p.Key, p.Certificate = parties()["provider"].key, parties()["provider"].certificate
	p.MetadataURL, p.SSOURL, p.LogoutURL = at("/metadata"), at("/sso"), at("/slo")
	p.ServiceProviderProvider, p.SessionProvider = p, p
	p.Clock, p.Logger = dsig.NewFakeClockAt(now), log.Default()
	text, err := xml.Marshal(p.IdentityProvider.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	p.fixture = connect(t, func(m *config.MVPD) {
		m.MetadataFile, m.Attributes = file(t, t.TempDir(), "idp.xml", text), map[string]string{"zip": "zip"}
	})
	return p
}

// GetServiceProvider gives it the metadata that the service publishes.
func (p *foreign) GetServiceProvider(_ *http.Request, id string) (*crewjam.EntityDescriptor, error) {
	if id != entityID {
		return nil, errors.New("another service")
	}
	text, err := p.Connector.Metadata()
	if err != nil {
		return nil, err
	}
	described := &crewjam.EntityDescriptor{}
	return described, xml.Unmarshal(text, described)
}

// GetSession logs everybody in.
func (p *foreign) GetSession(http.ResponseWriter, *http.Request, *crewjam.IdpAuthnRequest) *crewjam.Session {
	return &crewjam.Session{
		ID: "1", Index: "session-1", NameID: "viewer-7", NameIDFormat: string(crewjam.PersistentNameIDFormat), CreateTime: now, ExpireTime: now.Add(time.Hour),
		CustomAttributes: []crewjam.Attribute{{Name: "zip", Values: []crewjam.AttributeValue{{Type: "xs:string", Value: "12345"}}}},
	}
}

// AddSessionParticipant, SessionParticipants and InvalidateSession are what it needs for
// logouts.
func (p *foreign) AddSessionParticipant(_ *http.Request, _ *crewjam.Session, by crewjam.SessionParticipant) error {
	p.participants = append(p.participants, by)
	return nil
}

func (p *foreign) SessionParticipants(*http.Request, func(*crewjam.Session) bool) ([]crewjam.SessionParticipant, error) {
	return p.participants, nil
}

func (p *foreign) InvalidateSession(http.ResponseWriter, *http.Request, *crewjam.IdpLogoutRequest) error {
	return nil
}

func (p *foreign) visit(serve http.HandlerFunc, at string) *http.Response {
	r := httptest.NewRecorder()
	serve(r, httptest.NewRequest(http.MethodGet, at, nil))
	return r.Result()
}

// postedField is a field of the form that the provider lets a browser send.
var postedField = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

func (p *foreign) logIn() mvpd.Identity {
	p.t.Helper()
	step, err := p.Begin(p.t.Context(), p.login)
	if err != nil {
		p.t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	p.ServeSSO(recorder, httptest.NewRequest(http.MethodGet, step.URL, nil))
	form := url.Values{}
	for _, m := range postedField.FindAllStringSubmatch(recorder.Body.String(), -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	message, _ := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if recorder.Code != http.StatusOK || parse(string(message)).SelectElement("EncryptedAssertion") == nil {
		p.t.Fatalf("the provider answers %d, want an encrypted assertion:\n%s", recorder.Code, recorder.Body)
	}
	who, _, err := p.postForm(form)
	if err != nil {
		p.t.Fatal(err)
	}
	return who
}

// TestAForeignProvider logs a viewer in, and out.
func TestAForeignProvider(t *testing.T) {
	p := connectForeign(t)
	who := p.logIn()
	if who.Subject != "viewer-7" || len(who.Attributes) != 1 || string(who.Attributes[0].Value) != `"12345"` || who.Session == "" {
		t.Errorf("got %+v", who)
	}
	away, err := p.Logout(t.Context(), mvpd.Logout{Subject: who.Subject, Handle: who.Handle, Return: "https://sso.example/?state=" + logoutState})
	if err != nil {
		t.Fatal(err)
	}
	back, err := p.visit(p.ServeSLO, away.URL).Location()
	if err != nil {
		t.Fatal(err)
	}
	if w, err := p.Hear(t.Context(), back.RawQuery, nil); err != nil || w.State != logoutState || w.Problem != nil || w.Request {
		t.Errorf("it answers %+v, %v", w, err)
	}
}

// TestAForeignProviderEndsALogin and understands the answer.
func TestAForeignProviderEndsALogin(t *testing.T) {
	p := connectForeign(t)
	who := p.logIn()
	r := httptest.NewRecorder()
	p.StartLogout(r, httptest.NewRequest(http.MethodGet, "https://idp.foreign.example/logout", nil), &crewjam.Session{ID: "1"}, "https://idp.foreign.example/bye")
	to, err := r.Result().Location()
	if err != nil {
		t.Fatalf("it sends the browser nowhere: %d %s", r.Code, r.Body)
	}
	w, err := p.Hear(t.Context(), to.RawQuery, nil)
	if err != nil || len(w.End.Sessions) != 1 || w.End.Sessions[0] != who.Session {
		t.Fatalf("heard %+v, %v", w, err)
	}
	step, err := p.Answer(t.Context(), w, saml.Ended)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodGet, step.URL, nil)
	for _, c := range r.Result().Cookies() {
		request.AddCookie(c)
	}
	done := httptest.NewRecorder()
	p.ServeSLO(done, request)
	if end, err := done.Result().Location(); err != nil || end.String() != "https://idp.foreign.example/bye" {
		t.Errorf("after the answer the browser is at %v, %v: %s", end, err, done.Body)
	}
}
