package e2e

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"ssod/bench/provider"
	"ssod/httpfront/client"
)

// TestADecisionPointThatSpeaksXACML decides on one channel each way, and voids the login
// with the last answer.
func TestADecisionPointThatSpeaksXACML(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	n := startNode(t, `
publicURL: `+publicURL+`
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, domains: [app.example]}]
    mvpds: [{id: dish, kind: oidc, issuer: '`+p.Issuer+`', clientId: `+provider.ClientID+`, xacmlURL: '`+startXACML(t)+`'}]
`)
	phone := newOpenIDApp(t, n)
	session, err := phone.CreateSession(t.Context(), client.SessionParameters{MVPD: "dish", DomainName: "app.example", RedirectURL: "https://app.example/in"})
	must(t, err)
	newOpenIDBrowser(t, n).open(session.URL)
	for _, tt := range []struct{ channel, code, details string }{
		{"news", "", ""},
		{"sports", "authorization_denied_by_mvpd", "Not in your package https://dish.example/more"},
		{"late", "authorization_denied_by_parental_controls", ""},
		{"odd", "network_received_error", ""},
		{"void", "authorization_denied_by_session_invalidated", ""},
		{"news again", "authenticated_profile_invalidated", ""},
	} {
		decisions, err := phone.Authorize(t.Context(), "dish", tt.channel)
		must(t, err)
		d := decisions[0]
		switch {
		case d.Authorized != (tt.code == ""):
			t.Errorf("%s: %+v", tt.channel, d)
		case d.Error != nil && (d.Error.Code != tt.code || d.Error.Details != tt.details):
			t.Errorf("%s: %s %q, want %s %q", tt.channel, d.Error.Code, d.Error.Details, tt.code, tt.details)
		}
	}
}

// answersOfXACML are decisions with their obligations, by channel.
var answersOfXACML = map[string]string{
	"news": `<Decision>Permit</Decision>`,
	"sports": `<Decision>Deny</Decision>` + obligations("urn:tve:xacml:2.0:obligations:upgrade",
		`<o:AttributeAssignment AttributeId="message" DataType="http://www.w3.org/2001/XMLSchema#string">Not in your package</o:AttributeAssignment>`+
			`<o:AttributeAssignment AttributeId="offer" DataType="http://www.w3.org/2001/XMLSchema#anyURI">https://dish.example/more</o:AttributeAssignment>`),
	"late": `<Decision>Deny</Decision>` + obligations("urn:tve:xacml:2.0:obligations:restrict-pc", ""),
	"odd":  `<Decision>Indeterminate</Decision>`,
	"void": `<Decision>Deny</Decision>` + obligations("urn:cablelabs:olca:1.0:obligations:re-authn", ""),
}

func obligations(id, assignments string) string {
	return `<o:Obligations xmlns:o="urn:oasis:names:tc:xacml:2.0:policy:schema:os"><o:Obligation ObligationId="` + id + `" FulfillOn="Deny">` + assignments + `</o:Obligation></o:Obligations>`
}

// startXACML serves a decision point.
func startXACML(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Query struct {
				ID       string `xml:",attr"`
				Resource string `xml:"Request>Resource>Attribute>AttributeValue"`
			} `xml:"Body>XACMLAuthzDecisionQuery"`
		}
		if err := xml.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>
<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="r" Version="2.0" InResponseTo="%s"><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>
<s:Assertion xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion"><x:XACMLAuthzDecisionStatement xmlns:x="urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion">
<Response xmlns="urn:oasis:names:tc:xacml:2.0:context:schema:os"><Result>%s</Result></Response>
</x:XACMLAuthzDecisionStatement></s:Assertion></p:Response></Body></Envelope>`, q.Query.ID, answersOfXACML[q.Query.Resource])
	}))
	t.Cleanup(s.Close)
	return s.URL
}
