package xacml_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/xacml"
)

// now is the time of all clients.
var now = time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)

// asked is a query as the point reads it: with a decoder that knows no more than the
// namespaces, so that a prefix which means nothing is seen.
type asked struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Query query `xml:"urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol XACMLAuthzDecisionQuery"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

type query struct {
	ID          string `xml:"ID,attr"`
	Version     string `xml:"Version,attr"`
	Instant     string `xml:"IssueInstant,attr"`
	Destination string `xml:"Destination,attr"`
	Issuer      string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	Request     struct {
		Subject     attributes `xml:"urn:oasis:names:tc:xacml:2.0:context:schema:os Subject"`
		Resource    attributes `xml:"urn:oasis:names:tc:xacml:2.0:context:schema:os Resource"`
		Action      attributes `xml:"urn:oasis:names:tc:xacml:2.0:context:schema:os Action"`
		Environment attributes `xml:"urn:oasis:names:tc:xacml:2.0:context:schema:os Environment"`
	} `xml:"urn:oasis:names:tc:xacml:2.0:context:schema:os Request"`
}

type attributes struct {
	All []struct {
		ID    string `xml:"AttributeId,attr"`
		Type  string `xml:"DataType,attr"`
		Value string `xml:"urn:oasis:names:tc:xacml:2.0:context:schema:os AttributeValue"`
	} `xml:"urn:oasis:names:tc:xacml:2.0:context:schema:os Attribute"`
}

// values are the values by the last word of the id and the type.
func (a attributes) values() map[string]string {
	all := map[string]string{}
	last := func(id string) string { return id[strings.LastIndexAny(id, ":#")+1:] }
	for _, attribute := range a.All {
		all[last(attribute.ID)+" "+last(attribute.Type)] = attribute.Value
	}
	return all
}

// point is a decision point: real HTTP, answers from a test.
type point struct {
	answer func(q *query) string // the whole document; see decided and saml
	kind   string                // Content-Type; empty: that of SOAP
	status int                   // 0: 200

	mu  sync.Mutex
	got map[string]*query // by resource
}

func (p *point) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body asked
	q := &body.Body.Query
	if err := xml.NewDecoder(r.Body).Decode(&body); err != nil || len(q.Request.Resource.All) != 1 || r.Header.Get("Content-Type") != "text/xml; charset=utf-8" || r.Header.Get("SOAPAction") == "" {
		http.Error(w, "no SOAP", http.StatusUnsupportedMediaType)
		return
	}
	p.mu.Lock()
	p.got[q.Request.Resource.All[0].Value] = q
	p.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml")
	if p.kind != "" {
		w.Header().Set("Content-Type", p.kind)
	}
	if p.status != 0 {
		w.WriteHeader(p.status)
	}
	_, _ = w.Write([]byte(p.answer(q)))
}

// start serves a point and returns a client of it and what the client logs.
func start(t *testing.T, p *point) (*xacml.Client, *bytes.Buffer) {
	t.Helper()
	p.got = map[string]*query{}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	client, err := mvpd.NewClient("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	log := &bytes.Buffer{}
	return xacml.New(xacml.Options{
		URL: s.URL + "/pdp?a=1&b=2", Issuer: "https://sso.example/saml", Obligations: []string{"urn:example:watermark"},
		HTTP: client, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(log, nil)),
	}), log
}

// conditions is until when an assertion is good.
func conditions(until time.Time) string {
	return `<saml:Conditions NotBefore="` + now.Add(-time.Minute).Format(time.RFC3339) + `" NotOnOrAfter="` + until.Format(time.RFC3339) + `"/>`
}

// saml is a document with a response that has everything but what is in its assertion.
func saml(id, conditions, statement string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header/><S:Body>
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" IssueInstant="2026-05-01T20:00:00Z" InResponseTo="%s">
 <saml:Issuer>https://idp.example</saml:Issuer>
 <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
 <saml:Assertion ID="_a" Version="2.0" IssueInstant="2026-05-01T20:00:00Z"><saml:Issuer>https://idp.example</saml:Issuer>%s%s</saml:Assertion>
</samlp:Response></S:Body></S:Envelope>`, id, conditions, statement)
}

// statement is a decision with obligations, as the profile of 2010 spells it.
func statement(decision, obligations string) string {
	return `<xs:XACMLAuthzDecisionStatement xmlns:xs="urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion">
<Response xmlns="urn:oasis:names:tc:xacml:2.0:context:schema:os"><Result><Decision>` + decision + `</Decision>
<Status><StatusCode Value="urn:oasis:names:tc:xacml:1.0:status:ok"/><StatusMessage>ok</StatusMessage></Status>` + obligations + `</Result></Response></xs:XACMLAuthzDecisionStatement>`
}

// obligation is a list with one obligation; each assignment is an id, a type and a value.
func obligation(id, on string, assignments ...[3]string) string {
	text := `<x:Obligations xmlns:x="urn:oasis:names:tc:xacml:2.0:policy:schema:os"><x:Obligation ObligationId="` + id + `" FulfillOn="` + on + `">`
	for _, a := range assignments {
		text += `<x:AttributeAssignment AttributeId="` + a[0] + `" DataType="http://www.w3.org/2001/XMLSchema#` + a[1] + `">` + a[2] + `</x:AttributeAssignment>`
	}
	return text + `</x:Obligation></x:Obligations>`
}

// decided answers every query with a statement.
func decided(conditions, statement string) func(*query) string {
	return func(q *query) string { return saml(q.ID, conditions, statement) }
}
