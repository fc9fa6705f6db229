package saml_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"slices"
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

// checkQuery checks the signature of an HTTP-Redirect URL and returns its parameters.
func checkQuery(t testing.TB, at string, by *party) url.Values {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	values := u.Query()
	signed := u.RawQuery[strings.Index(u.RawQuery, "SAML"):strings.Index(u.RawQuery, "&Signature=")]
	signature, err := base64.StdEncoding.DecodeString(values.Get("Signature"))
	if err != nil {
		t.Fatal(err)
	}
	if values.Get("SigAlg") != dsig.RSASHA256SignatureMethod {
		t.Errorf("signed with %s, want rsa-sha256", values.Get("SigAlg"))
	}
	if err := by.certificate.CheckSignature(sha256WithRSA, []byte(signed), signature); err != nil {
		t.Errorf("the signature of the URL: %v", err)
	}
	return values
}

func authnRequest(t testing.TB, text []byte) crewjam.AuthnRequest {
	t.Helper()
	var request crewjam.AuthnRequest
	if err := xml.Unmarshal(text, &request); err != nil {
		t.Fatal(err)
	}
	return request
}

func TestALoginBeginsWithASignedRequest(t *testing.T) {
	f := connect(t)
	step, err := f.Begin(t.Context(), f.login)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(step.URL, "https://idp.dish.example/sso?tenant=1&SAMLRequest=") {
		t.Errorf("the browser goes to %s", step.URL)
	}
	values := checkQuery(t, step.URL, parties()["service"])
	if values.Get("RelayState") != f.login.State {
		t.Errorf("RelayState: got %q, want the state", values.Get("RelayState"))
	}
	f.checkRequest(authnRequest(t, inflated(t, values.Get("SAMLRequest"))), "https://idp.dish.example/sso?tenant=1")
}

func (f *fixture) checkRequest(r crewjam.AuthnRequest, to string) {
	f.t.Helper()
	got := map[string]string{
		"ID": r.ID, "Version": r.Version, "Destination": r.Destination, "Issuer": r.Issuer.Value, "ACS": r.AssertionConsumerServiceURL,
		"binding": r.ProtocolBinding, "format": *r.NameIDPolicy.Format, "requester": strings.Join(r.Scoping.RequesterIDs, " "), "issued": stamp(r.IssueInstant),
	}
	want := map[string]string{
		"ID": f.requestID, "Version": "2.0", "Destination": to, "Issuer": entityID, "ACS": acs,
		"binding": crewjam.HTTPPostBinding, "format": string(crewjam.PersistentNameIDFormat), "requester": "STREAM1", "issued": stamp(now),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("the request (-want +got):\n%s", diff)
	}
}

// posts is what the form of a step carries to an address in a parameter, with a signature of
// the service.
func (f *fixture) posts(step mvpd.Step, to, parameter, state string) (message []byte) {
	f.t.Helper()
	if step.Form == nil || step.Form.To != to || len(step.Form.Fields) != 2 {
		f.t.Fatalf("got %+v, want a form with two fields for %s", step, to)
	}
	fields := step.Form.Fields
	if fields[0].Name != parameter || fields[1] != (mvpd.Field{Name: "RelayState", Value: state}) {
		f.t.Errorf("the form has the fields %+v", fields)
	}
	message, err := base64.StdEncoding.DecodeString(fields[0].Value)
	if err != nil {
		f.t.Fatal(err)
	}
	by := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*certificate{parties()["service"].certificate}})
	by.Clock = dsig.NewFakeClockAt(now)
	if _, err := by.Validate(parse(string(message))); err != nil {
		f.t.Errorf("the signature of the message: %v", err)
	}
	return message
}

// binds gives the provider's service at an address another binding than HTTP-Redirect.
func binds(t *testing.T, at, binding string) func(*config.MVPD) {
	text := replace(t, metadata(parties()["provider"]), `HTTP-Redirect" Location="`+at, binding+`" Location="`+at)
	return func(m *config.MVPD) { m.MetadataFile = file(t, t.TempDir(), "idp.xml", []byte(text)) }
}

// TestAProviderThatWantsAForm has no endpoint over HTTP-Redirect.
func TestAProviderThatWantsAForm(t *testing.T) {
	f := connect(t, binds(t, "https://idp.dish.example/sso?", "SOAP"))
	step, err := f.Begin(t.Context(), f.login)
	if err != nil {
		t.Fatal(err)
	}
	const to = "https://idp.dish.example/sso/post"
	f.checkRequest(authnRequest(t, f.posts(step, to, "SAMLRequest", f.login.State)), to)
}

func TestAViewerLogsIn(t *testing.T) {
	f := connect(t, func(m *config.MVPD) {
		m.Attributes = map[string]string{"householdID": "urn:example:household", "home": "household", "zip": "zips", "none": "nothing"}
	})
	s := honest(f.requestID)
	a := s.assertion.element()
	within(a, "AuthnStatement").CreateAttr("SessionNotOnOrAfter", stamp(now.Add(time.Hour)))
	within(a, "NameID").CreateAttr("NameQualifier", providerID)
	within(a, "AttributeStatement").AddChild(parse(`<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="zips"><saml:AttributeValue>12345</saml:AttributeValue><saml:AttributeValue>"6"</saml:AttributeValue></saml:Attribute>`))
	within(a, "AttributeStatement").AddChild(parse(`<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="complex"><saml:AttributeValue><saml:Advice/></saml:AttributeValue></saml:Attribute>`))
	who, answer, err := f.post(write(s.response(f.provider.signed(a))))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Nonce != f.login.Nonce {
		t.Errorf("the answer is to the nonce %q, want %q", answer.Nonce, f.login.Nonce)
	}
	if who.Session == "" || who.Session == "session-1" {
		t.Errorf("session %q, want a name of its own for each viewer", who.Session)
	}
	who.Session = ""
	want := mvpd.Identity{
		Subject: "viewer-1", Issued: now, NotAfter: now.Add(time.Hour),
		Attributes: []mvpd.Attribute{
			{Name: "home", Value: json.RawMessage(`"house-7"`)},
			{Name: "householdID", Value: json.RawMessage(`"house-7"`)},
			{Name: "zip", Value: json.RawMessage(`["12345","\"6\""]`)},
		},
		Handle: []byte(`{"v":"viewer-1","f":"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent","q":"` + providerID + `","i":"session-1"}`),
	}
	if diff := cmp.Diff(want, who); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	if len(answer.Once) != 1 || !answer.Once[0].Until.After(now) || answer.Once[0].Until.After(now.Add(mvpd.MaxUntil)) {
		t.Errorf("ids that count once: %+v", answer.Once)
	}
}

// TestFormsOfAnswers are those that providers have.
func TestFormsOfAnswers(t *testing.T) {
	service := parties()["service"]
	tests := map[string]func(f *fixture) string{
		"assertion signed": func(f *fixture) string { return write(f.answer()) },
		"answer signed":    wholeSigned,
		"both signed":      bothSigned("provider"),
		"by the next key":  signedBy("provider next"),
		"without KeyInfo":  signs(func(s *signing) { s.certificate = "" }),
		"a signature in lines": func(f *fixture) string {
			answer := f.answer()
			value := find(f.t, answer, "SignatureValue")
			value.SetText("\n\t" + value.Text()[:64] + "\n\t" + value.Text()[64:] + "\n")
			return write(answer)
		},
		"encrypted, the answer signed": func(f *fixture) string {
			s := honest(f.requestID)
			return write(f.provider.signed(s.response(service.encrypted(s.assertion.element(), "EncryptedAssertion", xmlenc.OAEP_SHA256(), xmlenc.AES256GCM))))
		},
		"the key next to the data": func(f *fixture) string {
			answer := parse(hides("service", true, xmlenc.OAEP(), xmlenc.AES128GCM)(f))
			e := answer.SelectElement("EncryptedAssertion")
			key := find(f.t, e, "EncryptedKey")
			find(f.t, e, "EncryptedData").RemoveChild(find(f.t, e, "KeyInfo"))
			key.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
			e.AddChild(key)
			return write(answer)
		},
		"an encrypted name": changes(func(a *etree.Element) {
			s := within(a, "Subject")
			plain := s.ChildElements()[0].Copy()
			plain.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
			s.InsertChildAt(0, service.encrypted(plain, "EncryptedID", xmlenc.OAEP(), xmlenc.AES128GCM))
			s.RemoveChildAt(1)
		}),
		"prefixes that are kept": signs(func(s *signing) {
			s.info = func(info *etree.Element) {
				transform := info.FindElements(".//Transform")[1]
				transform.AddChild(parse(`<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/>`))
			}
		}),
		"CDATA": alters(">viewer-1<", "><![CDATA[viewer-1]]><"),
		"issuers with a format": func(f *fixture) string {
			s := honest(f.requestID)
			a := s.assertion.element()
			within(a, "Issuer").CreateAttr("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity")
			return write(s.response(f.provider.signed(a)))
		},
		"a second confirmation": changes(func(a *etree.Element) {
			c := within(a, "SubjectConfirmation").Copy()
			within(c, "SubjectConfirmationData").CreateAttr("Recipient", "https://other.example")
			within(a, "Subject").InsertChildAt(1, c)
		}),
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			f := connect(t)
			if who, _, err := f.post(answer(f)); err != nil || who.Subject != "viewer-1" {
				t.Errorf("got %q, %v, want viewer-1", who.Subject, err)
			}
		})
	}
}

func TestTheIdOfAViewerCanBeAnAttribute(t *testing.T) {
	f := connect(t, func(m *config.MVPD) { m.Attributes = map[string]string{"userID": "household"} })
	who, _, err := f.post(write(f.answer()))
	if err != nil || who.Subject != "house-7" || len(who.Attributes) != 0 {
		t.Errorf("got %+v, %v, want house-7", who, err)
	}
}

func TestFailuresOfTheProvider(t *testing.T) {
	tests := []struct{ first, second, want string }{
		{"Responder", "AuthnFailed", mvpd.AccessDenied},
		{"Responder", "RequestDenied", mvpd.AccessDenied},
		{"Responder", "", mvpd.ServerError},
		{"Requester", "UnsupportedBinding", mvpd.ServerError},
		{"Responder", "NoAvailableIDP", mvpd.TemporarilyUnavailable},
	}
	for _, tt := range tests {
		f := connect(t)
		s := honest(f.requestID)
		s.status = tt.first
		r := s.response()
		if tt.second != "" {
			within(r, "StatusCode").CreateElement("samlp:StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:"+tt.second)
		}
		if _, a, err := f.post(write(r)); code(err) != tt.want || len(a.Once) != 0 {
			t.Errorf("%s, %s: got %v, want %s", tt.first, tt.second, err, tt.want)
		}
		s.inResponseTo = "_another"
		if _, _, err := f.post(write(s.response())); code(err) != mvpd.InvalidRequest {
			t.Errorf("a failure of another login: got %v, want invalid_request", err)
		}
	}
}

func TestKeysOfOursAreReadAgain(t *testing.T) {
	f := connect(t)
	next := parties()["service next"]
	file(t, "", f.config.KeyFile, append(next.keyPEM(), "\n\n\n\n\n"...)) // another size, whatever the clock of the disk
	step, err := f.Begin(t.Context(), f.login)
	if err != nil { // the certificate is still the old one
		t.Fatal(err)
	}
	checkQuery(t, step.URL, parties()["service"])
	file(t, "", f.config.CertFile, append(next.certPEM(), '\n'))
	if step, err = f.Begin(t.Context(), f.login); err != nil {
		t.Fatal(err)
	}
	checkQuery(t, step.URL, next)
}

func TestAnEntityIdOfItsOwn(t *testing.T) {
	f := connect(t, func(m *config.MVPD) { m.EntityID = "urn:example:ssod" })
	s := honest(f.requestID)
	if _, _, err := f.post(write(f.answer())); err == nil {
		t.Error("an audience that is not the entity id is accepted")
	}
	s.assertion.audience = "urn:example:ssod"
	if _, _, err := f.post(write(s.response(f.provider.signed(s.assertion.element())))); err != nil {
		t.Error(err)
	}
}

func TestCompleteNeedsAnAnswer(t *testing.T) {
	f := connect(t)
	for _, values := range []url.Values{nil, {"SAMLResponse": {"x"}}, {"verdict": {"{"}}, {"verdict": {"{}"}}} {
		if _, err := f.Complete(t.Context(), f.login, values); code(err) != mvpd.InvalidRequest {
			t.Errorf("%v: %v, want invalid_request", values, err)
		}
	}
}

var _ mvpd.Receiver = (*saml.Connector)(nil)

// TestARequestForAPartner is the one of a browser, signed in itself, and says what is asked
// for.
func TestARequestForAPartner(t *testing.T) {
	f := connect(t)
	var _ mvpd.PartnerConnector = f.Connector
	message, names, err := f.PartnerRequest(t.Context(), f.login)
	if err != nil {
		t.Fatal(err)
	}
	request := authnRequest(t, message)
	f.checkRequest(request, request.Destination)
	if request.Signature == nil {
		t.Error("nothing is signed")
	}
	if len(names) == 0 || !slices.Contains(names, "NameID") {
		t.Errorf("attributes: %v", names)
	}
}
