package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ssod/cmd/internal/e2e/examples"
)

// secretsConfig makes link codes that cannot stand in a log by chance.
const secretsConfig = `
throttle: {enabled: false}
realms:
  - id: one
    serviceProviders: [{id: one, domains: [stream.example]}]
    linkCode: {length: 10, alphabet: alphanumeric}
    trustedIssuers: [{issuer: "` + issuer + `", audience: Adobe, jwksFile: issuer.json}]
    platforms: [{name: box, issuer: "` + platformIssuer + `", audience: adobe, algorithms: [HS256], jwksFile: platform.json}]
    mvpds: [{id: AcmeTV, kind: sandbox}, {id: trial, kind: temppass, ttl: 1h, maxResources: 5, trialsPerAddress: 0}]
  - {id: two, serviceProviders: [two]}
`

// secrets collects what must not be written anywhere, and what the service
// says in errors.
type secrets struct {
	*app
	marked map[string]string // secret -> what it is
	errors bytes.Buffer      // bodies of answers that are errors
	copy   []byte            // of a sealing key, sealed to a node
}

func (s *secrets) mark(what, secret string) {
	if secret == "" {
		s.Fatalf("no %s to look for", what)
	}
	s.marked[secret] = what
	if i := strings.LastIndexByte(secret, '.'); i > 0 { // the part of a token that proves anything
		s.marked[secret[i+1:]] = "signature of " + what
	}
}

// TestNoSecretIsWritten plays flows and mistakes at log level debug with every
// token, code, statement and client secret marked, some of them in places where
// they do not belong, and looks for the marks in the log, the metrics, the
// profiles of goroutines and the bodies of errors.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	n := newNode(t, secretsConfig, "--log-level", "debug")
	writeIssuerKeys(t, n.Dir)
	writePlatformKey(t, n.Dir)
	n.Start()
	s := &secrets{app: n.mustApp("one"), marked: map[string]string{}}
	s.mark("access token", s.token)
	s.mark("software statement", s.signed)
	s.mark("client secret", s.secret)
	s.fetchByQuery()
	s.playFlow()
	s.playLogin()
	s.playSecondScreen()
	s.playTrial()
	s.playMistakes()
	s.playOperator()

	status, metrics := n.Page("/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d", status)
	}
	goroutines := n.goroutines()
	n.stop() // the log is complete now
	leaks := s.search("the log", n.Logged()) + s.search("the metrics", metrics) +
		s.search("the goroutines", goroutines) + s.search("an error body", s.errors.String())
	t.Logf("secrets: marked=%d log_bytes=%d secret_leaks=%d", len(s.marked), len(n.Logged()), leaks)
	if !strings.Contains(n.Logged(), "audit") {
		t.Error("the log has no audit line: nothing was logged that could leak")
	}
}

func (s *secrets) search(where, text string) (leaks int) {
	s.Helper()
	for secret, what := range s.marked {
		if at := strings.Index(text, secret); at >= 0 {
			s.Errorf("%s is in %s: ...%q...", what, where, text[max(0, at-120):at+min(len(secret), 10)])
			leaks++
		}
	}
	return leaks
}

// fetchByQuery gets an access token with all parameters in the query.
func (s *secrets) fetchByQuery() {
	s.Helper()
	answer, err := s.do(s.Context(), call{
		method: "POST", target: "/o/client/token?grant_type=client_credentials&client_id=" + s.id + "&client_secret=" + s.secret,
	})
	must(s, err)
	var issued struct {
		Token string `json:"access_token"`
	}
	if json.Unmarshal(answer.Body, &issued) != nil || answer.Status != http.StatusCreated {
		s.Fatalf("parameters in the query: %d %s", answer.Status, answer.Body)
	}
	s.mark("access token by the query", issued.Token)
}

// playFlow lets two devices and an external viewer share profiles.
func (s *secrets) playFlow() {
	s.Helper()
	ctx := s.Context()
	host, guest := newDevice("host device"), newDevice("guest device")
	s.mark("X-SSO-ID", "marked-viewer-4711")
	must(s, s.mint(ctx, host, "marked-viewer-4711"))
	s.mark("service token", host.token)
	code, err := s.link(ctx, host)
	must(s, err)
	s.mark("link code", code)
	must(s, s.redeem(ctx, guest, code))
	s.mark("service token of the guest", guest.token)
	must(s, s.refresh(ctx, host))
	s.mark("refreshed token", host.token)
	_, err = s.list(ctx, host)
	must(s, err)
	_, err = s.unlink(ctx, host, guest.id)
	must(s, err)
	external := newDevice("external device")
	external.token = externalToken(s, "marked-external-4712", "Adobe")
	s.mark("external token", external.token)
	s.mark("external subject", "marked-external-4712")
	code, err = s.link(ctx, external)
	must(s, err)
	s.mark("link code of the external viewer", code)
	s.refused("GET", "serviceToken", guest, "AD-Service-Token", guest.token)
	s.refused("POST", "serviceToken", newDevice("late"), "X-SSO-LINK", code[:9]+"?")
}

// refused sends a call that must fail and keeps its answer.
func (s *secrets) refused(method, operation string, d *device, more ...string) {
	s.Helper()
	answer, err := s.send(s.Context(), method, operation, d, nil, more...)
	s.keep(answer, err)
}

func (s *secrets) keep(answer examples.Answer, err error) {
	s.Helper()
	must(s, err)
	if answer.Status < 400 {
		s.Errorf("a mistake was answered %d %s", answer.Status, answer.Body)
	}
	s.errors.Write(answer.Body)
	s.errors.WriteByte('\n')
	for name, values := range answer.Headers {
		fmt.Fprintln(&s.errors, name, values)
	}
}

// playMistakes sends secrets in wrong places and wrong forms.
func (s *secrets) playMistakes() {
	s.Helper()
	lost := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + ".bWFya2VkLXBheWxvYWQ.bWFya2VkLXNpZ25hdHVyZQ"
	d := newDevice("mistaken device")
	s.mark("forged token", lost)
	for _, operation := range []string{"link", "list", "unlink"} {
		method := map[string]string{"link": "POST", "list": "GET", "unlink": "POST"}[operation]
		s.refused(method, operation, d, "AD-Service-Token", lost)
	}
	s.refused("GET", "serviceToken", d, "AD-Service-Token", lost)
	s.refused("POST", "serviceToken", d, "X-SSO-ID", "marked-viewer-\u0085-4713")
	s.mark("bad X-SSO-ID", "marked-viewer-\u0085")
	s.refused("POST", "serviceToken", d, "X-SSO-LINK", "MARKEDCODE")
	s.mark("guessed code", "MARKEDCODE")
	s.refused("POST", "serviceToken", d, "X-SSO-ID", "x", "X-Device-Info", "bWFya2VkLWRldmljZS1pbmZv")
	s.mark("bad device info", "marked-device-info")
	s.refused("POST", "serviceToken", d, "X-SSO-ID", "x", "Accept", "marked/accept-"+s.secret)
	s.playHeaders(d)
	s.do4xx("GET", "/nowhere/"+s.token, nil, "")
	s.do4xx("GET", "/api/one/list?token="+lost, nil, "")
	s.do4xx("POST", "/api/one/link", map[string]string{"Authorization": "Basic " + s.secret}, "")
	s.do4xx("POST", "/api/"+s.secret+"/link", map[string]string{"Authorization": "Bearer " + s.token}, "")
	s.do4xx("POST", "/o/client/register", jsonBody, `{"software_statement":"`+s.signed+`x"}`)
	s.do4xx("POST", "/o/client/register", jsonBody, `{"software_statement":"`+s.signed)
	inQuery := "grant_type=client_credentials&client_id=" + s.id + "&client_secret=" + s.secret
	s.do4xx("POST", "/o/client/token", formBody, inQuery+"x")
	s.do4xx("POST", "/o/client/token", formBody, "grant_type="+s.secret+"&client_id="+s.id+"&client_secret="+s.secret)
	s.do4xx("GET", "/o/client/token?client_secret="+s.secret, nil, "")
	s.do4xx("POST", "/o/client/token?"+inQuery+"x", nil, "")
	s.do4xx("POST", "/o/client/token?"+inQuery, formBody, "client_id="+s.id)
}

// playHeaders sends what a viewer or a device is known by where it cannot be read, or is not
// expected.
func (s *secrets) playHeaders(d *device) {
	s.Helper()
	for _, name := range []string{
		"AP-Device-Identifier", "AP-Partner-Framework-Status", "AP-TempPass-Identity", "Adobe-Subject-Token", "X-Roku-Reserved-Roku-Connect-Token", "X-SSO-ID", "X-SSO-LINK",
	} {
		value := "marked-value-of-" + strings.ToLower(name)
		s.mark("value of "+name, value)
		headers := map[string]string{"Authorization": "Bearer " + s.token, "AP-Device-Identifier": "fingerprint " + d.id, "Content-Type": formBody["Content-Type"]}
		headers[name] = value
		for target, method := range map[string]string{
			"/api/v2/one/profiles/nobody": "GET", "/api/v2/one/sessions/sso/Apple": "POST", "/api/v2/one/profiles/sso/Apple": "POST",
			"/api/v2/one/profiles/trial/x": "GET", "/api/one/list": "GET",
		} {
			answer, err := s.do(s.Context(), call{method: method, target: target, headers: headers, body: []byte(map[string]string{"POST": "SAMLResponse=marked-saml-response"}[method])})
			must(s, err)
			if answer.Status >= http.StatusBadRequest { // else it was ignored
				s.keep(answer, nil)
			}
		}
	}
	s.mark("answer of a TV provider", "marked-saml-response")
}

var (
	jsonBody = map[string]string{"Content-Type": "application/json"}
	formBody = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
)

func (s *secrets) do4xx(method, target string, headers map[string]string, body string) {
	s.Helper()
	answer, err := s.do(s.Context(), call{method: method, target: target, headers: headers, body: []byte(body)})
	s.keep(answer, err)
}

// playOperator makes the admin calls that handle secrets, and some with secrets
// where ids belong. Their answers may name what the operator asked for; the log
// may not.
func (s *secrets) playOperator() {
	s.Helper()
	ctx := s.Context()
	body, err := json.Marshal(statementRequest{ClientName: "other", ServiceProviders: []string{"two"}})
	must(s, err)
	s.admin(ctx, "POST", "/admin/v1/software-statements", body)
	s.admin(ctx, "POST", "/admin/v1/software-statements", []byte(`{"clientName":"`+s.secret))
	s.admin(ctx, "DELETE", "/admin/v1/software-statements/"+s.signed, nil)
	s.admin(ctx, "DELETE", "/admin/v1/clients/"+s.secret, nil)
	s.admin(ctx, "DELETE", "/admin/v1/keys/"+s.secret, nil)
	s.admin(ctx, "GET", "/admin/v1/keys", nil)
	s.admin(ctx, "POST", "/admin/v1/keys/rotate?overlap=1s", nil)
	s.admin(ctx, "GET", "/admin/v1/profile?realm=one&namespace=sso&subject=marked-viewer-4711", nil)
	s.admin(ctx, "POST", "/admin/v1/reload", nil)
	s.admin(ctx, "DELETE", "/admin/v1/clients/"+s.id, nil)
	s.admin(ctx, "DELETE", "/admin/v1/software-statements/"+s.statement, nil)
	s.refused("POST", "serviceToken", newDevice("late"), "X-SSO-ID", "x")
}

func (s *secrets) admin(ctx context.Context, method, target string, body []byte) {
	s.Helper()
	answer, err := exchange(ctx, s.client, "http://"+s.node.Admin, call{method: method, target: target, headers: jsonBody, body: body})
	must(s, err)
	var made struct {
		SoftwareStatement string `json:"softwareStatement"`
	}
	if json.Unmarshal(answer.Body, &made) == nil && made.SoftwareStatement != "" {
		s.mark("second software statement", made.SoftwareStatement)
	}
}
