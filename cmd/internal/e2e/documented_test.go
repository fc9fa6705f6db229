package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"ssod/cmd/internal/e2e/examples"
)

// generated is an app that was generated from the documentation of the API: it reads
// each answer by a schema, which knows no other fields and no other types.
type generated struct {
	*node
	documented openapi3.Schemas
	headers    map[string]string
}

func generatedFrom(n *node) *generated {
	n.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("testdata/documented.yaml")
	must(n, err)
	must(n, doc.Validate(n.Context()))
	return &generated{node: n, documented: doc.Components.Schemas, headers: map[string]string{}}
}

// calls sends a request and reads its answer as a schema says.
func (c *generated) calls(schema string, status int, method, target string, body any, headers ...string) map[string]any {
	c.Helper()
	request := call{method: method, target: target, headers: map[string]string{}}
	for name, value := range c.headers {
		request.headers[name] = value
	}
	switch body := body.(type) {
	case nil:
	case url.Values:
		request.headers["Content-Type"], request.body = "application/x-www-form-urlencoded", []byte(body.Encode())
	default:
		encoded, err := json.Marshal(body)
		must(c, err)
		request.headers["Content-Type"], request.body = "application/json;charset=utf-8", encoded
	}
	for i := 0; i < len(headers); i += 2 {
		request.headers[headers[i]] = headers[i+1]
	}
	answer, err := c.do(c.Context(), request)
	must(c, err)
	read, err := c.read(schema, status, answer)
	if err != nil {
		c.Fatalf("%s %s was answered %d %s: %v", method, target, answer.Status, answer.Body, err)
	}
	return read
}

func (c *generated) read(schema string, status int, a examples.Answer) (map[string]any, error) {
	if kind, _, err := mime.ParseMediaType(a.Headers.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, fmt.Errorf("content type %q", a.Headers.Get("Content-Type"))
	}
	if a.Status != status {
		return nil, fmt.Errorf("want %d", status)
	}
	decoder := json.NewDecoder(bytes.NewReader(a.Body))
	decoder.UseNumber()
	var value map[string]any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return value, c.documented[schema].Value.VisitJSON(value)
}

// at is a value inside an answer.
func (c *generated) at(value any, path ...string) any {
	c.Helper()
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok || object[name] == nil {
			c.Fatalf("no %q in %v", path, value)
		}
		value = object[name]
	}
	return value
}

func (c *generated) text(value any, path ...string) string {
	c.Helper()
	s, ok := c.at(value, path...).(string)
	if !ok {
		c.Fatalf("%q is no text in %v", path, value)
	}
	return s
}

func (c *generated) same(what string, got, want any) {
	c.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestAGeneratedClientReadsEveryAnswer plays all of the API against a process,
// from the registration to the logout, and reads each answer as documented.
func TestAGeneratedClientReadsEveryAnswer(t *testing.T) {
	t.Parallel()
	n := newNode(t, worldConfig(lifetimes{}))
	writeIssuerKeys(t, n.Dir)
	writePlatformKey(t, n.Dir)
	n.Start()
	c := generatedFrom(n)
	c.register()
	token := c.mintAndLink()
	c.logIn(token)
	c.watch(token)
	c.logOut(token)
}

// register gets an access token, which all further calls send, and is refused with
// wrong credentials.
func (c *generated) register() {
	c.Helper()
	signed, _, err := c.newStatement(c.Context(), statementRequest{ClientName: "generated", ServiceProviders: []string{"STREAM1"}, RedirectURIs: []string{appScheme}})
	must(c, err)
	registered := c.calls("Registered", 201, "POST", "/o/client/register", map[string]string{"software_statement": signed, "redirect_uri": appScheme}, "X-Device-Info", infoA)
	c.calls("OAuthError", 400, "POST", "/o/client/register", map[string]string{"software_statement": "x.y.z", "redirect_uri": appScheme})
	credentials := url.Values{"client_id": {c.text(registered, "client_id")}, "client_secret": {c.text(registered, "client_secret")}, "grant_type": {"client_credentials"}}
	c.calls("AccessToken", 201, "POST", "/o/client/token?"+credentials.Encode(), nil, "X-Device-Info", infoA)
	access := c.calls("AccessToken", 201, "POST", "/o/client/token", credentials)
	credentials.Set("client_secret", "wrong")
	c.calls("OAuthError", 400, "POST", "/o/client/token", credentials)

	c.calls("FlatError", 401, "GET", "/api/v2/STREAM1/configuration", nil)
	c.calls("NestedError", 401, "GET", "/api/STREAM1/serviceToken", nil)
	c.headers = map[string]string{
		"Authorization": "Bearer " + c.text(access, "access_token"), "Accept": "application/json", "X-Device-Info": infoA,
		"AP-Device-Identifier": "fingerprint " + newDevice(deviceA).id, "User-Agent": "Generated/1.0", "AP-Visitor-Identifier": "visitor",
	}
	c.calls("FlatError", 405, "PUT", "/api/v2/STREAM1/configuration", nil)
	c.calls("FlatError", 400, "GET", "/api/v2/NOSUCH/configuration", nil)
}

// mintAndLink makes the device and another one members, and returns its token.
func (c *generated) mintAndLink() string {
	c.Helper()
	const path = "/api/STREAM1/"
	other := []string{"AP-Device-Identifier", "fingerprint " + newDevice(deviceB).id, "X-Device-Info", infoB}
	token := c.text(c.calls("ServiceToken", 201, "POST", path+"serviceToken", nil, "X-SSO-ID", theViewer), "serviceToken")
	code := c.text(c.calls("LinkCode", 201, "POST", path+"link", nil, "AD-Service-Token", token), "code")
	c.calls("ServiceToken", 201, "POST", path+"serviceToken", nil, append(other, "X-SSO-LINK", code)...)
	c.calls("NestedError", 400, "POST", path+"serviceToken", nil)
	token = c.text(c.calls("ServiceToken", 200, "GET", path+"serviceToken", nil, "AD-Service-Token", token), "serviceToken")
	devices := c.calls("Devices", 200, "GET", path+"list", nil, "AD-Service-Token", token)
	c.same("type of the other device", c.at(devices, "devices", newDevice(deviceB).id, "type"), "sso")
	c.calls("Unlinked", 200, "POST", path+"unlink", map[string][]string{"devices": {newDevice(deviceB).id}}, "AD-Service-Token", token)
	return token
}

// logIn begins a session bit by bit, lets a browser log in and finds the login.
func (c *generated) logIn(token string) {
	c.Helper()
	const path = "/api/v2/STREAM1/"
	identity := []string{"AD-Service-Token", token}
	found := c.calls("Configuration", 200, "GET", path+"configuration", nil)
	c.same("TV providers", len(c.at(found, "requestor", "mvpds").([]any)), 2)

	begun := c.calls("Session", 200, "POST", path+"sessions", url.Values{"domainName": {"stream.example"}}, identity...)
	c.same("begun", c.text(begun, "actionName"), "resume")
	code := c.text(begun, "code")
	c.calls("SessionStatus", 200, "GET", path+"sessions/"+code, nil)
	begun = c.calls("Session", 200, "POST", path+"sessions/"+code, url.Values{"mvpd": {"AcmeTV"}})
	c.same("half-way", c.text(begun, "actionName"), "retry")
	begun = c.calls("Session", 200, "POST", path+"sessions/"+code, url.Values{"redirectUrl": {home}})
	c.same("complete", c.text(begun, "actionName"), "authenticate")
	c.calls("SessionStatus", 200, "GET", path+"sessions/"+code, nil)
	c.calls("Profiles", 200, "GET", path+"profiles/code/"+code, nil)
	for _, form := range []url.Values{{"mvpd": {"Nobody"}}, {"mvpd": {"OldCable"}}, {"domainName": {"evil.example"}}, {"redirectUrl": {"https://evil.example"}}} {
		c.calls("FlatError", 400, "POST", path+"sessions", form)
	}

	end, err := c.newBrowser().login(c.Context(), "STREAM1", code, "ben")
	must(c, err)
	c.same("the browser ends", end, home)
	login := c.calls("Profiles", 200, "GET", path+"profiles/code/"+code, nil)
	c.same("by code", c.at(login, "profiles", "AcmeTV", "type"), "regular")
	login = c.calls("Profiles", 200, "GET", path+"profiles", nil, identity...)
	c.same("of all", c.at(login, "profiles", "AcmeTV", "attributes", "userID", "value"), "sandbox-ben")
	c.calls("Profiles", 200, "GET", path+"profiles/AcmeTV", nil, identity...)
	c.calls("FlatError", 400, "GET", path+"profiles/Nobody", nil)
	begun = c.calls("Session", 200, "POST", path+"sessions", whole("AcmeTV"), identity...)
	c.same("with a login", c.text(begun, "reasonType"), "authenticated")
}

// watch asks for decisions, of which some deny.
func (c *generated) watch(token string) {
	c.Helper()
	const path = "/api/v2/STREAM1/decisions/"
	resources := func(names ...string) any { return map[string][]string{"resources": names} }
	listed := c.calls("Decisions", 200, "POST", path+"preauthorize/AcmeTV", resources("r1", "r2"), "AD-Service-Token", token)
	first, second := c.at(listed, "decisions").([]any)[0], c.at(listed, "decisions").([]any)[1]
	c.same("listed", []any{c.at(first, "authorized"), c.text(second, "error", "code")}, []any{true, "preauthorization_denied_by_mvpd"})
	permitted := c.calls("Decisions", 200, "POST", path+"authorize/AcmeTV", resources("r1"), "AD-Service-Token", token)
	c.text(c.at(permitted, "decisions").([]any)[0], "token", "serializedToken")
	for _, denied := range []struct {
		mvpd      string
		resources any
	}{
		{"AcmeTV", resources("r2")}, {"AcmeTV", resources("r1", "r2")}, {"NordCable", resources("r1")},
	} {
		d := c.calls("Decisions", 200, "POST", path+"authorize/"+denied.mvpd, denied.resources)
		c.text(c.at(d, "decisions").([]any)[0], "error", "message")
	}
	c.calls("FlatError", 400, "POST", path+"authorize/AcmeTV", resources())
	c.calls("FlatError", 400, "POST", path+"authorize/OldCable", resources("r1"))
}

// logOut ends the login, and asks in vain for a partner and for more.
func (c *generated) logOut(token string) {
	c.Helper()
	const path = "/api/v2/STREAM1/"
	to := "logout/AcmeTV?redirectUrl=" + url.QueryEscape(home)
	out := c.calls("Logouts", 200, "GET", path+to, nil, "AD-Service-Token", token)
	c.same("logout", c.at(out, "logouts", "AcmeTV", "actionName"), "logout")
	end, _, err := c.newBrowser().follow(c.Context(), publicURL+c.text(out, "logouts", "AcmeTV", "url"), nil)
	must(c, err)
	c.same("the browser ends", end, home)
	out = c.calls("Logouts", 200, "GET", path+to, nil)
	c.same("logout again", c.at(out, "logouts", "AcmeTV", "actionName"), "invalid")
	c.calls("Logouts", 200, "GET", path+"logout/NordCable", nil)
	c.calls("Profiles", 200, "GET", path+"profiles", nil, "AD-Service-Token", token)

	begun := c.calls("Session", 200, "POST", path+"sessions/sso/Apple", url.Values{"domainName": {"stream.example"}, "redirectUrl": {home}}, "AP-Partner-Framework-Status", "e30=")
	c.same("partner", c.text(begun, "reasonType"), "configuration_fallback")
	c.calls("Profiles", 200, "POST", path+"profiles/sso/Apple", url.Values{"SAMLResponse": {"PHgvPg=="}})
	c.calls("FlatError", 400, "POST", path+"sessions/sso/Nobody", url.Values{})
	c.calls("FlatError", http.StatusNotFound, "GET", path+"nothing", nil)
}

// TestADocumentedAnswerIsStrict shows that the schemas would find what they are
// there to find.
func TestADocumentedAnswerIsStrict(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("testdata/documented.yaml")
	must(t, err)
	for _, tt := range []struct{ schema, body string }{
		{"Session", `{"actionName":"resume","actionType":"direct","reasonType":"none","serviceProvider":"a","sessionId":"0b7c5a3e-52f4-4d55-8c3f-3b1f4a8d2c11","notBefore":1767384000000}`},
		{"Session", `{"actionName":"resume","actionType":"direct","reasonType":"none","serviceProvider":"a"}`},
		{"AccessToken", `{"id":"a","access_token":"b","created_at":"1767384000000","expires_in":1,"token_type":"bearer"}`},
		{"Version", `{"major":1,"minor":0,"patch":0,"profile":null,"more":1}`},
		{"Version", `{"major":1.5,"minor":0,"patch":0,"profile":null}`},
		{"Profiles", `{"profiles":null}`},
		{"Logouts", `{"logouts":{"a":{"actionName":"logout","actionType":"interactive","mvpd":1}}}`},
	} {
		var value any
		must(t, json.Unmarshal([]byte(tt.body), &value))
		if doc.Components.Schemas[tt.schema].Value.VisitJSON(value) == nil {
			t.Errorf("%s takes %s", tt.schema, tt.body)
		}
	}
}
