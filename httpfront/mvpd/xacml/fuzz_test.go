package xacml

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/mvpd"
)

// permitted is an answer to query _q about news.
const permitted = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>` +
	`<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" Version="2.0" InResponseTo="_q">` +
	`<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>` +
	`<s:Assertion xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion"><s:Conditions NotOnOrAfter="2026-05-01T21:00:00Z"/>` +
	`<x:XACMLAuthzDecisionStatement xmlns:x="urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion">` +
	`<c:Response xmlns:c="urn:oasis:names:tc:xacml:2.0:context:schema:os"><c:Result ResourceId="news"><c:Decision>Permit</c:Decision>` +
	`<o:Obligations xmlns:o="urn:oasis:names:tc:xacml:2.0:policy:schema:os"><o:Obligation ObligationId="urn:cablelabs:olca:1.0:obligations:re-authz" FulfillOn="Permit">` +
	`<o:AttributeAssignment AttributeId="n" DataType="http://www.w3.org/2001/XMLSchema#integer">60</o:AttributeAssignment></o:Obligation></o:Obligations>` +
	`</c:Result></c:Response></x:XACMLAuthzDecisionStatement></s:Assertion></p:Response></S:Body></S:Envelope>`

// FuzzAnswers: whatever comes, the reader ends, and what it makes of an answer is a permit
// only if the answer says so, for a time that can be.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(permitted))
	f.Add([]byte(strings.Replace(permitted, ">Permit<", ">Deny<", 1)))
	f.Add([]byte(strings.Replace(permitted, "<S:Envelope", "<!DOCTYPE a [<!ENTITY b 'c'>]><S:Envelope", 1)))
	f.Add([]byte(strings.Replace(permitted, "Success", "Requester", 1)))
	at := time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)
	c := New(Options{Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)})
	if r, err := c.read([]byte(permitted), &query{id: "_q", resource: "news"}); err != nil || r.decision != "Permit" {
		f.Fatalf("the seed: %+v, %v", r, err)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		q := &query{id: "_q", resource: "news", question: &mvpd.Question{Languages: "en"}}
		r, err := c.read(document, q)
		if err != nil {
			return
		}
		d := c.decision(t.Context(), &r, q)
		if d.Verdict == mvpd.Permit && (r.decision != "Permit" || r.unknown) || d.TTL < 0 {
			t.Errorf("%+v became %+v", r, d)
		}
	})
}
