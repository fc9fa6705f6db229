package xacml_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/xacml"
)

// olca and tve are where OLCA and TV providers name obligations.
const (
	olca = "urn:cablelabs:olca:1.0:obligations:"
	tve  = "urn:tve:xacml:2.0:obligations:"
)

func one(t *testing.T, c *xacml.Client) (mvpd.Decision, error) {
	t.Helper()
	got, err := c.Decide(t.Context(), mvpd.Question{Subject: "viewer-1", ServiceProvider: "STREAM1", Resources: []string{"news"}, Languages: "en"})
	if err != nil {
		return mvpd.Decision{}, err
	}
	return got[0], nil
}

func TestWhatAnswersMean(t *testing.T) {
	message := func(language, text string) [3]string {
		return [3]string{"urn:cablelabs:ocla:1.0:attribute:enviroment:buy-flow:message\" xml:lang=\"" + language, "string", text}
	}
	tests := map[string]struct {
		conditions, decision, obligations string
		want                              mvpd.Decision
	}{
		"permit":                {"", "Permit", "", mvpd.Decision{Verdict: mvpd.Permit}},
		"until":                 {conditions(now.Add(5 * time.Minute)), "Permit", "", mvpd.Decision{Verdict: mvpd.Permit, TTL: 5 * time.Minute}},
		"until just now":        {conditions(now.Add(-10 * time.Second)), "Permit", "", mvpd.Decision{Verdict: mvpd.Permit, TTL: time.Second}},
		"for seconds":           {"", "Permit", obligation(olca+"re-authz", "Permit", [3]string{"n", "integer", "90"}), mvpd.Decision{Verdict: mvpd.Permit, TTL: 90 * time.Second}},
		"the shorter one":       {conditions(now.Add(time.Minute)), "Permit", obligation(olca+"re-authz", "Permit", [3]string{"n", "integer", "90"}), mvpd.Decision{Verdict: mvpd.Permit, TTL: time.Minute}},
		"for no number":         {"", "Permit", obligation(olca+"re-authz", "Permit", [3]string{"n", "integer", "soon"}), mvpd.Decision{Verdict: mvpd.Denied}},
		"logged":                {"", "Permit", obligation(olca+"log", "Permit"), mvpd.Decision{Verdict: mvpd.Permit}},
		"others see to it":      {"", "Permit", obligation("urn:example:watermark", "Permit"), mvpd.Decision{Verdict: mvpd.Permit}},
		"strange obligation":    {"", "Permit", obligation("urn:example:blackout", "Permit"), mvpd.Decision{Verdict: mvpd.Denied}},
		"obligation of a deny":  {"", "Permit", obligation(tve+"upgrade", "Deny"), mvpd.Decision{Verdict: mvpd.Permit}},
		"deny":                  {"", "Deny", "", mvpd.Decision{Verdict: mvpd.Denied}},
		"no policy":             {"", "NotApplicable", "", mvpd.Decision{Verdict: mvpd.Denied}},
		"undecided":             {"", "Indeterminate", "", mvpd.Decision{Verdict: mvpd.Unreadable}},
		"neither":               {"", "permit", "", mvpd.Decision{Verdict: mvpd.Unreadable}},
		"parental control":      {"", "Deny", obligation(tve+"restrict-pc", "Deny"), mvpd.Decision{Verdict: mvpd.ParentalControls}},
		"at home":               {"", "Deny", obligation(olca+"in-home", "Deny"), mvpd.Decision{Verdict: mvpd.HomeOnly}},
		"log in again":          {"", "Deny", obligation(olca+"re-authn", "Deny"), mvpd.Decision{Verdict: mvpd.SessionInvalidated}},
		"of another namespace":  {"", "Deny", obligation("urn:example:restrict-pc", "Deny"), mvpd.Decision{Verdict: mvpd.Denied}},
		"upgrade":               {"", "Deny", obligation(tve+"upgrade", "Deny", message("de", "Nicht im Paket"), message("en", "Not in your &amp; package"), [3]string{"at", "anyURI", "https://cable.example/more"}), mvpd.Decision{Verdict: mvpd.Denied, Message: "Not in your & package", Upgrade: "https://cable.example/more"}},
		"a permit's conditions": {conditions(now.Add(time.Minute)), "Deny", "", mvpd.Decision{Verdict: mvpd.Denied}},
	}
	for name, tt := range tests {
		c, _ := start(t, &point{answer: decided(tt.conditions, statement(tt.decision, tt.obligations))})
		got, err := one(t, c)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestSpellings: profiles and their drafts name the same statement differently.
func TestSpellings(t *testing.T) {
	permit := statement("Permit", "")
	for name, s := range map[string]string{
		"draft":   strings.Replace(permit, "schema:assertion", "schema:assertion:wd-13", 1),
		"of 2005": strings.Replace(permit, "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion", "urn:oasis:xacml:2.0:saml:assertion:schema:os", 1),
		"by its type": strings.NewReplacer(`<xs:XACMLAuthzDecisionStatement `, `<saml:Statement xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:XACMLAuthzDecisionStatementType" `,
			`</xs:XACMLAuthzDecisionStatement>`, `</saml:Statement>`).Replace(permit),
		"with the resource": strings.Replace(permit, "<Result>", `<Result ResourceId="news">`, 1),
	} {
		c, _ := start(t, &point{answer: decided("", s)})
		if got, err := one(t, c); err != nil || got.Verdict != mvpd.Permit {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

// TestAnswersThatDecideNothing: what is not exactly an answer to the query is none.
func TestAnswersThatDecideNothing(t *testing.T) {
	permit := statement("Permit", "")
	change := func(old, new string) func(*query) string {
		return func(q *query) string {
			before := saml(q.ID, conditions(now.Add(time.Minute)), permit)
			after := strings.Replace(before, old, new, 1)
			if after == before {
				panic("there is no " + old)
			}
			return after
		}
	}
	text := func(s string) func(*query) string { return func(*query) string { return s } }
	success := `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>`
	tests := map[string]*point{
		"nothing":             {answer: text("")},
		"a page":              {answer: text("<html><body>Welcome</body></html>"), kind: "text/html"},
		"a page as XML":       {answer: text("<html><body>Welcome</body></html>")},
		"JSON":                {answer: text(`{"decision":true}`), kind: "application/json"},
		"no type":             {answer: decided("", permit), kind: ";"},
		"another type":        {answer: decided("", permit), kind: "text/plain"},
		"401":                 {answer: decided("", permit), status: http.StatusUnauthorized},
		"500":                 {answer: decided("", permit), status: http.StatusInternalServerError},
		"204":                 {answer: text(""), status: http.StatusNoContent},
		"half":                {answer: func(q *query) string { s := saml(q.ID, "", permit); return s[:len(s)/2] }},
		"two documents":       {answer: func(q *query) string { s := saml(q.ID, "", permit); return s + s[strings.Index(s, "<S:"):] }},
		"text behind it":      {answer: func(q *query) string { return saml(q.ID, "", permit) + "." }},
		"not UTF-8":           {answer: change(`encoding="UTF-8"`, `encoding="ISO-8859-1"`)},
		"document type":       {answer: change("?>\n", "?><!DOCTYPE S:Envelope>\n")},
		"external entity":     {answer: change("?>\n", "?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n")},
		"entity":              {answer: change("<Decision>Permit", "<Decision>&e;Permit")},
		"instruction":         {answer: change("<S:Header/>", "<?php exit ?><S:Header/>")},
		"comment":             {answer: change("Permit</Decision>", "Per<!-- -->mit</Decision>")},
		"CDATA":               {answer: change("Permit</Decision>", "Per<![CDATA[mit]]></Decision>")},
		"too large":           {answer: change("ok</StatusMessage>", strings.Repeat("ok ", 30_000)+"</StatusMessage>")},
		"too deep":            {answer: change("<S:Header/>", "<S:Header>"+strings.Repeat("<a>", 50)+strings.Repeat("</a>", 50)+"</S:Header>")},
		"too many":            {answer: change("<S:Header/>", "<S:Header>"+strings.Repeat("<a/>", 1001)+"</S:Header>")},
		"attribute twice":     {answer: change(`Version="2.0"`, `Version="2.0" Version="2.0"`)},
		"SOAP 1.2":            {answer: change("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")},
		"header to know":      {answer: change("<S:Header/>", `<S:Header><x xmlns="urn:x" S:mustUnderstand="1"/></S:Header>`)},
		"fault":               {answer: change("<S:Body>", "<S:Body><S:Fault><faultcode>S:Server</faultcode></S:Fault>")},
		"two bodies":          {answer: change("<S:Body>", "<S:Body/><S:Body>")},
		"two responses":       {answer: change("<S:Body>", `<S:Body><samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>`)},
		"of another query":    {answer: func(*query) string { return saml("_other", "", permit) }},
		"of no query":         {answer: change("InResponseTo", "Destination")},
		"SAML 1.1":            {answer: change(`Version="2.0"`, `Version="1.1"`)},
		"no status":           {answer: change(success, "")},
		"refused":             {answer: change("status:Success", "status:Responder")},
		"refused, in detail":  {answer: change(success, `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Requester"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:RequestDenied"/></samlp:StatusCode>`)},
		"no assertion":        {answer: change("saml:Assertion ID", `saml:Advice xmlns:saml="urn:x" ID`)},
		"two assertions":      {answer: change("<saml:Assertion ", "<saml:Assertion/><saml:Assertion ")},
		"over":                {answer: decided(conditions(now.Add(-2*time.Minute)), permit)},
		"not yet":             {answer: change(`NotBefore="2026-05-01T19:59`, `NotBefore="2026-05-01T20:59`)},
		"no time":             {answer: change(`NotBefore="2026`, `NotBefore="soon`)},
		"conditions twice":    {answer: change("<saml:Conditions", "<saml:Conditions/><saml:Conditions")},
		"no statement":        {answer: decided("", "")},
		"statement twice":     {answer: decided("", permit+permit)},
		"other namespace":     {answer: change("v2:schema:assertion", "v3:schema:assertion")},
		"results twice":       {answer: change("<Result>", "<Result><Decision>Permit</Decision></Result><Result>")},
		"decision twice":      {answer: change("<Decision>", "<Decision>Permit</Decision><Decision>")},
		"no decision":         {answer: change("<Decision>Permit</Decision>", "")},
		"of another resource": {answer: change("<Result>", `<Result ResourceId="sports">`)},
		"obligations twice":   {answer: decided("", statement("Permit", obligation("urn:a", "Deny")+obligation("urn:a", "Deny")))},
	}
	for name, p := range tests {
		c, _ := start(t, p)
		if got, err := one(t, c); err == nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestAViewerWhoIsNotKnown(t *testing.T) {
	c, _ := start(t, &point{answer: func(q *query) string {
		return strings.Replace(saml(q.ID, "", ""), `status:Success"/>`,
			`status:Requester"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"/></samlp:StatusCode>`, 1)
	}})
	if got, err := one(t, c); err != nil || got.Verdict != mvpd.UnknownIdentity {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestWhatTheDecisionPointIsTold(t *testing.T) {
	p := &point{answer: decided("", statement("Permit", ""))}
	c, _ := start(t, p)
	q := mvpd.Question{
		Requester: mvpd.Requester{
			Device: mvpd.Device{ID: "d-1", Type: "smartTV", Name: `Tom & Jerry's <"TV">`}, Address: netip.MustParseAddr("2001:db8::7"),
		},
		Subject: "viewer-1", ServiceProvider: "STREAM1", Resources: []string{`<rss version="2.0"><channel/></rss>`}, Preauthorize: true,
	}
	if _, err := c.Decide(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	got := p.got[q.Resources[0]]
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"version", got.Version, "2.0"},
		{"instant", got.Instant, "2026-05-01T20:00:00.000Z"},
		{"destination", got.Destination, c.URL},
		{"issuer", got.Issuer, "https://sso.example/saml"},
		{"subject", got.Request.Subject.values(), map[string]string{"subject-id string": "viewer-1"}},
		{"resource", got.Request.Resource.values(), map[string]string{"resource-id string": q.Resources[0]}},
		{"action", got.Request.Action.values(), map[string]string{"action-id string": "VIEW"}},
		{"environment", got.Request.Environment.values(), map[string]string{
			"ip-address ipAddress": "[2001:db8::7]", "device-id string": "d-1", "device-type string": "smartTV",
			"device-name string": `Tom & Jerry's <"TV">`, "service-provider string": "STREAM1", "preauthorize boolean": "true",
		}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestSeveralResources: each is a query with an id of its own, and has its own answer.
func TestSeveralResources(t *testing.T) {
	p := &point{answer: func(q *query) string {
		decision := "Deny"
		if strings.HasSuffix(q.Request.Resource.All[0].Value, "1") {
			decision = "Permit"
		}
		return saml(q.ID, "", statement(decision, ""))
	}}
	c, _ := start(t, p)
	q := mvpd.Question{Subject: "viewer-1"}
	var want []mvpd.Decision
	for i := range 20 {
		q.Resources = append(q.Resources, fmt.Sprintf("channel-%d", i))
		want = append(want, mvpd.Decision{Verdict: mvpd.Denied})
	}
	want[1].Verdict, want[11].Verdict = mvpd.Permit, mvpd.Permit
	got, err := c.Decide(t.Context(), q)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	ids := map[string]bool{}
	for _, asked := range p.got {
		ids[asked.ID] = true
	}
	if len(ids) != len(q.Resources) {
		t.Errorf("%d ids for %d queries", len(ids), len(q.Resources))
	}
}

// TestAPointThatHangs is left when the caller's time is over.
func TestAPointThatHangs(t *testing.T) {
	asks := make(chan struct{}, 1)
	hang := make(chan struct{})
	c, _ := start(t, &point{answer: func(*query) string { asks <- struct{}{}; <-hang; return "" }})
	t.Cleanup(func() { close(hang) }) // before the server is closed
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asks; cancel() }()
	if _, err := c.Decide(ctx, mvpd.Question{Resources: []string{"news"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func TestWhatIsLogged(t *testing.T) {
	for obligationID, want := range map[string]string{
		olca + "log":           "wants this permit logged",
		"urn:example:blackout": "not known, so it is a deny",
	} {
		c, log := start(t, &point{answer: decided("", statement("Permit", obligation(obligationID, "Permit")))})
		if _, err := one(t, c); err != nil || !strings.Contains(log.String(), want) || strings.Contains(log.String(), "viewer-1") {
			t.Errorf("%s: %v, logged %s", obligationID, err, log)
		}
	}
}
