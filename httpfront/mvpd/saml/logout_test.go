package saml_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	"github.com/crewjam/saml/xmlenc"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/saml"
)

const logoutState = "STREAM1.secret-of-the-logout"

// logIn logs the viewer in.
func (f *fixture) logIn() mvpd.Identity {
	f.t.Helper()
	who, _, err := f.post(write(f.answer()))
	if err != nil {
		f.t.Fatal(err)
	}
	return who
}

// goOut begins a logout here, and returns the request that the provider gets.
func (f *fixture) goOut() crewjam.LogoutRequest {
	f.t.Helper()
	who := f.logIn()
	step, err := f.Logout(f.t.Context(), mvpd.Logout{Subject: who.Subject, Handle: who.Handle, Return: "https://sso.example/api/v2/logout-agent/callback?state=" + logoutState})
	if err != nil {
		f.t.Fatal(err)
	}
	var r crewjam.LogoutRequest
	if err := xml.Unmarshal(f.carried(step), &r); err != nil {
		f.t.Fatal(err)
	}
	return r
}

// carried is the LogoutRequest of a step, in either binding.
func (f *fixture) carried(step mvpd.Step) []byte {
	f.t.Helper()
	if step.Form != nil {
		return f.posts(step, "https://idp.dish.example/slo", "SAMLRequest", logoutState)
	}
	if !strings.HasPrefix(step.URL, "https://idp.dish.example/slo?SAMLRequest=") {
		f.t.Fatalf("the browser goes to %q", step.URL)
	}
	values := checkQuery(f.t, step.URL, parties()["service"])
	if values.Get("RelayState") != logoutState {
		f.t.Errorf("RelayState: got %q, want the state", values.Get("RelayState"))
	}
	return inflated(f.t, values.Get("SAMLRequest"))
}

func TestALogoutGoesOnToTheProvider(t *testing.T) {
	want := []string{"https://idp.dish.example/slo", entityID, "viewer-1", string(crewjam.PersistentNameIDFormat), "session-1", stamp(now), stamp(now.Add(10 * time.Minute))}
	for _, f := range []*fixture{connect(t), connect(t, binds(t, "https://idp.dish.example/slo", "HTTP-POST"))} {
		r := f.goOut()
		got := []string{r.Destination, r.Issuer.Value, r.NameID.Value, r.NameID.Format, r.SessionIndex.Value, stamp(r.IssueInstant), stamp(*r.NotOnOrAfter)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the request (-want +got):\n%s", diff)
		}
	}
}

// TestALogoutStaysHere where the provider cannot be told.
func TestALogoutStaysHere(t *testing.T) {
	f := connect(t, binds(t, "https://idp.dish.example/slo", "SOAP"))
	for name, handle := range map[string][]byte{"no endpoint": f.logIn().Handle, "no handle": nil} {
		if at, err := f.Logout(t.Context(), mvpd.Logout{Handle: handle}); !at.None() || err != nil {
			t.Errorf("%s: %+v, %v", name, at, err)
		}
	}
	down := connect(t, atURL(publish(t, "")))
	if at, err := down.Logout(t.Context(), mvpd.Logout{Handle: []byte("{}")}); !at.None() || err != nil {
		t.Errorf("never reached: %+v, %v", at, err)
	}
}

// message is what the provider sends over HTTP-Redirect, for attackers to change.
type message struct {
	parameter, text, state string
	method                 string
	by                     *party
	sum                    crypto.Hash
	escape                 func(string) string
}

func (f *fixture) message(parameter string, e *etree.Element) message {
	return message{parameter: parameter, text: write(e), state: "state of the provider", method: dsig.RSASHA256SignatureMethod, by: f.provider, sum: crypto.SHA256, escape: url.QueryEscape}
}

func deflated(text string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func (m message) query() string {
	q := m.parameter + "=" + m.escape(deflated(m.text))
	if m.state != "" {
		q += "&RelayState=" + m.escape(m.state)
	}
	q += "&SigAlg=" + m.escape(m.method)
	h := m.sum.New()
	h.Write([]byte(q))
	signature, err := rsa.SignPKCS1v15(rand.Reader, m.by.key, m.sum, h.Sum(nil))
	if err != nil {
		panic(err)
	}
	return q + "&Signature=" + m.escape(base64.StdEncoding.EncodeToString(signature))
}

// request is a LogoutRequest of the provider.
func request(more string) *etree.Element {
	return parse(`<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_logout" Version="2.0" IssueInstant="` + stamp(now) + `" Destination="` + slo + `" NotOnOrAfter="` + stamp(now.Add(time.Minute)) + `">` +
		`<saml:Issuer>` + providerID + `</saml:Issuer><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">viewer-1</saml:NameID>` + more + `</samlp:LogoutRequest>`)
}

const ofSession = `<samlp:SessionIndex>session-1</samlp:SessionIndex>`

// response answers a logout that began here.
func response(to, status string) *etree.Element {
	return parse(`<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_done" Version="2.0" IssueInstant="` + stamp(now) + `" Destination="` + slo + `" InResponseTo="` + to + `">` +
		`<saml:Issuer>` + providerID + `</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + status + `"/></samlp:Status></samlp:LogoutResponse>`)
}

// posted is the form of a message over HTTP-POST.
func posted(parameter string, e *etree.Element) url.Values {
	return url.Values{parameter: {base64.StdEncoding.EncodeToString([]byte(write(e)))}, "RelayState": {"state of the provider"}}
}

// TestTheProviderEndsLogins, over both bindings.
func TestTheProviderEndsLogins(t *testing.T) {
	f := connect(t)
	session := f.logIn().Session
	once := mvpd.Once{ID: "logout _logout", Until: now.Add(14 * time.Minute)}
	plain := request("").SelectElement("NameID").Copy()
	plain.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	hidden := request("")
	hidden.InsertChildAt(1, parties()["service"].encrypted(plain, "EncryptedID", xmlenc.OAEP(), xmlenc.AES128GCM))
	hidden.RemoveChild(hidden.SelectElement("NameID"))
	tests := map[string]struct {
		request *etree.Element
		want    mvpd.End
	}{
		"a viewer":           {request(""), mvpd.End{Subject: "viewer-1", Issued: now, Once: once}},
		"a hidden viewer":    {hidden, mvpd.End{Subject: "viewer-1", Issued: now, Once: once}},
		"a session":          {request(ofSession), mvpd.End{Sessions: []string{session}, Issued: now, Once: once}},
		"very many sessions": {request(strings.Repeat(ofSession, 17)), mvpd.End{Subject: "viewer-1", Issued: now, Once: once}},
	}
	for name, tt := range tests {
		for binding, hear := range map[string]func() (saml.Word, error){
			"redirect": func() (saml.Word, error) {
				return f.Hear(t.Context(), f.message("SAMLRequest", tt.request).query(), nil)
			},
			"post": func() (saml.Word, error) {
				return f.Hear(t.Context(), "", posted("SAMLRequest", f.provider.signed(tt.request)))
			},
		} {
			w, err := hear()
			if err != nil || !w.Request || w.State != "state of the provider" {
				t.Errorf("%s, %s: got %+v, %v", name, binding, w, err)
				continue
			}
			if diff := cmp.Diff(tt.want, w.End); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, binding, diff)
			}
		}
	}
}

// TestTheProviderIsAnswered over the binding that it has.
func TestTheProviderIsAnswered(t *testing.T) {
	f := connect(t)
	w, err := f.Hear(t.Context(), f.message("SAMLRequest", request("")).query(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		word saml.Word
		how  saml.Outcome
		want string
	}{
		{w, saml.Ended, "Success"}, {w, saml.Failed, "Responder"}, {w, saml.Refused, "Requester RequestDenied"},
	}
	for _, tt := range tests {
		step, err := f.Answer(t.Context(), tt.word, tt.how)
		if err != nil || !strings.HasPrefix(step.URL, "https://idp.dish.example/slo/done?SAMLResponse=") {
			t.Fatalf("the browser goes to %+v: %v", step, err)
		}
		values := checkQuery(t, step.URL, parties()["service"])
		var r crewjam.LogoutResponse
		if err := xml.Unmarshal(inflated(t, values.Get("SAMLResponse")), &r); err != nil {
			t.Fatal(err)
		}
		status := r.Status.StatusCode.Value
		if second := r.Status.StatusCode.StatusCode; second != nil {
			status += " " + second.Value
		}
		if got := strings.ReplaceAll(status, "urn:oasis:names:tc:SAML:2.0:status:", ""); got != tt.want || r.InResponseTo != "_logout" || values.Get("RelayState") != "state of the provider" {
			t.Errorf("got %s in response to %q, want %s", got, r.InResponseTo, tt.want)
		}
	}
	f = connect(t, binds(t, "https://idp.dish.example/slo", "HTTP-POST"))
	step, err := f.Answer(t.Context(), w, saml.Ended)
	if err != nil {
		t.Fatal(err)
	}
	f.posts(step, "https://idp.dish.example/slo/done", "SAMLResponse", "state of the provider")
}

// TestAMappedIdIsFoundByTheName that the provider uses.
func TestAMappedIdIsFoundByTheName(t *testing.T) {
	f := connect(t, func(m *config.MVPD) { m.Attributes = map[string]string{"userID": "household"} })
	who := f.logIn()
	w, err := f.Hear(t.Context(), f.message("SAMLRequest", request("")).query(), nil)
	if err != nil || who.Subject != "house-7" || who.LogoutSubject != w.End.Subject {
		t.Errorf("%+v ends %+v, %v", w.End, who, err)
	}
}

// TestHostileLogouts are refused; each has a twin that counts.
func TestHostileLogouts(t *testing.T) {
	over := func(change func(*message)) func(f *fixture) string {
		return func(f *fixture) string {
			m := f.message("SAMLRequest", request(ofSession))
			change(&m)
			return m.query()
		}
	}
	with := func(change func(*etree.Element)) func(f *fixture) string {
		return func(f *fixture) string {
			r := request(ofSession)
			change(r)
			return f.message("SAMLRequest", r).query()
		}
	}
	lower := strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3D", "%3d", "%3A", "%3a")
	tests := []struct {
		name, cause string
		twin, make  func(f *fixture) string
	}{
		{"signed by somebody else", "none of the provider's keys", over(func(m *message) { m.by = parties()["provider next"] }), over(func(m *message) { m.by = parties()["mallory"] })},
		{"SHA-1", "not accepted", nil, over(func(m *message) { m.method, m.sum = dsig.RSASHA1SignatureMethod, crypto.SHA1 })},
		{"no algorithm", "not accepted", nil, over(func(m *message) { m.method = "" })},
		{"unsigned", "nothing is signed", nil, func(f *fixture) string {
			q := over(func(*message) {})(f)
			return q[:strings.Index(q, "&SigAlg")]
		}},
		{"a signature of nothing", "no Base64", nil, func(f *fixture) string { return over(func(*message) {})(f) + "!" }},
		{"a changed state", "none of the provider's keys", nil, func(f *fixture) string { return replace(t, over(func(*message) {})(f), "state+of", "fate+of") }},
		{"a state that was added", "none of the provider's keys", over(func(m *message) { m.state = "" }), func(f *fixture) string {
			return replace(t, over(func(m *message) { m.state = "" })(f), "&SigAlg", "&RelayState=x&SigAlg")
		}},
		{"escaped in lower case after it was signed", "none of the provider's keys", over(func(m *message) { m.escape = func(s string) string { return lower.Replace(url.QueryEscape(s)) } }), func(f *fixture) string { return lower.Replace(over(func(*message) {})(f)) }},
		{"a parameter twice", "there twice", func(f *fixture) string { return over(func(*message) {})(f) + "&other=1" }, func(f *fixture) string { return over(func(*message) {})(f) + "&RelayState=x" }},
		{"a request and a response", "or both", nil, func(f *fixture) string { return over(func(*message) {})(f) + "&SAMLResponse=x" }},
		{"a name that is escaped", "neither", nil, func(f *fixture) string { return replace(t, over(func(*message) {})(f), "SAMLRequest", "SAML%52equest") }},
		{"a DEFLATE bomb", "more than 262144 bytes", nil, over(func(m *message) { m.text = "<a>" + strings.Repeat(" ", 64<<20) })},
		{"not deflated", "not deflated", nil, func(f *fixture) string {
			return "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("<a/>"))) + "&SigAlg=x&Signature=x"
		}},
		{"an entity", "a document type", nil, over(func(m *message) { m.text = "<!DOCTYPE a>" + m.text })},
		{"a comment in a name", "a comment", nil, over(func(m *message) { m.text = replace(t, m.text, ">viewer-1<", ">viewer-1<!-- -->x<") })},
		{"for another place", "another place", nil, with(func(e *etree.Element) { e.CreateAttr("Destination", acs) })},
		{"of another issuer", "another Issuer", nil, with(func(e *etree.Element) { e.SelectElement("Issuer").SetText("https://other.example") })},
		{"of nobody", "no Issuer", nil, with(func(e *etree.Element) { e.RemoveChild(e.SelectElement("Issuer")) })},
		{"about nobody", "exactly one NameID", nil, with(func(e *etree.Element) { e.RemoveChild(e.SelectElement("NameID")) })},
		{"expired", "has expired", with(func(e *etree.Element) { e.CreateAttr("NotOnOrAfter", stamp(now.Add(-time.Minute))) }), with(func(e *etree.Element) { e.CreateAttr("NotOnOrAfter", stamp(now.Add(-2*time.Minute))) })},
		{"long ago", "too old", with(func(e *etree.Element) { e.CreateAttr("IssueInstant", stamp(now.Add(-11*time.Minute))) }), with(func(e *etree.Element) { e.CreateAttr("IssueInstant", stamp(now.Add(-13*time.Minute))) })},
		{"from the future", "from the future", nil, with(func(e *etree.Element) { e.CreateAttr("IssueInstant", stamp(now.Add(time.Hour))) })},
		{"another version", "another version", nil, with(func(e *etree.Element) { e.CreateAttr("Version", "1.1") })},
		{"another message", "no LogoutRequest", nil, func(f *fixture) string { return f.message("SAMLRequest", response("_x", "Success")).query() }},
		{"a state that is too long", "RelayState of more", nil, over(func(m *message) { m.state = strings.Repeat("x", 1025) })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := connect(t)
			twin := over(func(*message) {})
			if tt.twin != nil {
				twin = tt.twin
			}
			if _, err := f.Hear(t.Context(), twin(f), nil); err != nil {
				t.Errorf("its harmless twin is refused: %v", err)
			}
			if _, err := f.Hear(t.Context(), tt.make(f), nil); code(err) != mvpd.InvalidRequest || !strings.Contains(err.Error(), tt.cause) {
				t.Errorf("got %v, want invalid_request for %q", err, tt.cause)
			}
		})
	}
}

// TestHostileFormsOfLogouts come over HTTP-POST.
func TestHostileFormsOfLogouts(t *testing.T) {
	f := connect(t)
	signed := f.provider.signed(request(""))
	wrapped := func() *etree.Element {
		forged := request("")
		forged.CreateAttr("ID", "_forged")
		forged.AddChild(signed.Copy())
		return forged
	}
	both := posted("SAMLRequest", signed)
	both["SAMLResponse"] = both["SAMLRequest"]
	tests := map[string]struct {
		form  url.Values
		cause string
	}{
		"unsigned":                {posted("SAMLRequest", request("")), "nothing is signed"},
		"signed by somebody else": {posted("SAMLRequest", parties()["mallory"].signed(request(""))), "none of the provider's keys"},
		"SHA-1":                   {posted("SAMLRequest", f.provider.signed(request(""), sha1Signing)), "not accepted"},
		"wrapped":                 {posted("SAMLRequest", wrapped()), "none belongs"},
		"both":                    {both, "at once"},
		"nothing":                 {url.Values{}, "want 1"},
	}
	if _, err := f.Hear(t.Context(), "", posted("SAMLRequest", signed)); err != nil {
		t.Errorf("the good form: %v", err)
	}
	for name, tt := range tests {
		if _, err := f.Hear(t.Context(), "", tt.form); code(err) != mvpd.InvalidRequest || !strings.Contains(err.Error(), tt.cause) {
			t.Errorf("%s: got %v, want invalid_request for %q", name, err, tt.cause)
		}
	}
}

// TestAnswersToALogout have problems for the log; the browser goes on all the same.
func TestAnswersToALogout(t *testing.T) {
	f := connect(t)
	id := f.goOut().ID
	answer := func(e *etree.Element) message {
		m := f.message("SAMLResponse", e)
		m.state = logoutState
		return m
	}
	forged := answer(response(id, "Success"))
	forged.by = parties()["mallory"]
	form := func(by, to string) url.Values {
		over := posted("SAMLResponse", parties()[by].signed(response(to, "Success")))
		over.Set("RelayState", logoutState)
		return over
	}
	tests := map[string]struct {
		query   string
		form    url.Values
		problem string
	}{
		"done":                      {answer(response(id, "Success")).query(), nil, ""},
		"failed":                    {answer(response(id, "Responder")).query(), nil, "Responder"},
		"forged":                    {forged.query(), nil, "none of the provider's keys"},
		"the answer to another one": {answer(response("_other", "Success")).query(), nil, "another logout"},
		"posted":                    {"", form("provider", id), ""},
		"forged and posted":         {"", form("mallory", id), "none of the provider's keys"},
		"another one's, posted":     {"", form("provider", "_other"), "another logout"},
	}
	for name, tt := range tests {
		w, err := f.Hear(t.Context(), tt.query, tt.form)
		if err != nil || w.Request || w.State != logoutState {
			t.Errorf("%s: got %+v, %v", name, w, err)
		}
		if (w.Problem == nil) != (tt.problem == "") || tt.problem != "" && !strings.Contains(w.Problem.Error(), tt.problem) {
			t.Errorf("%s: problem %v, want %q", name, w.Problem, tt.problem)
		}
	}
}
