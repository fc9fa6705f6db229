package entitlement_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"html"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"ssod/httpfront/fronttest"
)

// dish is a TV provider that speaks SAML, by crewjam's implementation of one.
type dish struct {
	*app
	saml.IdentityProvider
	participants []saml.SessionParticipant
	portrait     int // bytes that it says of viewers besides
}

// startDish starts the provider, and a node that is connected to it.
func startDish(t *testing.T) *dish {
	t.Helper()
	return startDishAs(t, func(metadata string) string { return metadata })
}

// startDishAs starts a provider that describes itself otherwise.
func startDishAs(t *testing.T, described func(metadata string) string) *dish {
	t.Helper()
	key, certificate := keyPair(t)
	d := &dish{}
	d.Key, d.Certificate, d.Logger = key, certificate, log.Default()
	d.MetadataURL = url.URL{Scheme: "https", Host: "idp.dish.example", Path: "/metadata"}
	d.SSOURL = url.URL{Scheme: "https", Host: "idp.dish.example", Path: "/sso"}
	d.LogoutURL = url.URL{Scheme: "https", Host: "idp.dish.example", Path: "/slo"}
	d.ServiceProviderProvider, d.SessionProvider = d, d
	dir := t.TempDir()
	spKey, spCertificate := keyPair(t)
	metadata, err := xml.Marshal(d.IdentityProvider.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"idp.xml": []byte(described(string(metadata))),
		"sp.key":  pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(spKey)}),
		"sp.crt":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: spCertificate.Raw}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.app = start(t, strings.Replace(realms, "    mvpds:\n", "    mvpds:\n      - {id: dish, kind: saml, decision: authenticated, attributes: {zip: zip}, metadataFile: "+
		dir+"/idp.xml, keyFile: "+dir+"/sp.key, certFile: "+dir+"/sp.crt}\n", 1))
	return d
}

func keyPair(t *testing.T) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, certificate
}

const dishPath = "/saml/acme/dish/"

// GetServiceProvider reads the metadata that the node publishes.
func (d *dish) GetServiceProvider(_ *http.Request, id string) (*saml.EntityDescriptor, error) {
	if !strings.HasSuffix(id, dishPath+"metadata") {
		return nil, os.ErrNotExist
	}
	var described saml.EntityDescriptor
	err := xml.Unmarshal(d.do(fronttest.Call{Method: "GET", Path: dishPath + "metadata"}).Raw, &described)
	return &described, err
}

// GetSession logs everybody in as the same viewer.
func (d *dish) GetSession(http.ResponseWriter, *http.Request, *saml.IdpAuthnRequest) *saml.Session {
	more := saml.Attribute{Name: "portrait", Values: []saml.AttributeValue{{Type: "xs:string", Value: strings.Repeat("a", d.portrait)}}}
	return &saml.Session{
		ID: "1", Index: "session-1", NameID: "viewer-7", NameIDFormat: string(saml.PersistentNameIDFormat), CreateTime: time.Now(), ExpireTime: time.Now().Add(time.Hour),
		CustomAttributes: []saml.Attribute{{Name: "zip", Values: []saml.AttributeValue{{Type: "xs:string", Value: "12345"}}}, more},
	}
}

func TestAProviderReadsOurMetadata(t *testing.T) {
	d := startDish(t)
	r := d.do(fronttest.Call{Method: "GET", Path: dishPath + "metadata"})
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/samlmetadata+xml" || r.Header.Get("Cache-Control") != "max-age=300" {
		t.Errorf("got %d %v", r.StatusCode, r.Header)
	}
	if _, err := d.GetServiceProvider(nil, "http://127.0.0.1"+dishPath+"metadata"); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/saml/acme/cable/metadata", "/saml/acme/nobody/metadata", "/saml/nobody/dish/metadata", "/saml/rival/dish/metadata"} {
		if r := d.do(fronttest.Call{Method: "GET", Path: path}); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, r.StatusCode)
		}
	}
}

// postedField is a field of a form that a browser sends by itself.
var postedField = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

// fields is the form of a page.
func fields(text string) url.Values {
	form := url.Values{}
	for _, m := range postedField.FindAllStringSubmatch(text, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return form
}

// serve lets the provider answer a browser that was sent to it.
func (d *dish) serve(handler http.HandlerFunc, at string) *httptest.ResponseRecorder {
	r := httptest.NewRecorder()
	handler(r, httptest.NewRequest(http.MethodGet, at, nil))
	return r
}

// answer sends a browser through a login at the provider: what it then posts.
func (d *dish) answer(b *browser, code string) url.Values {
	d.Helper()
	at, _ := b.follow("/api/v2/authenticate/"+b.sp+"/"+code, nil)
	r := d.serve(d.ServeSSO, at)
	form := fields(r.Body.String())
	if form.Get("SAMLResponse") == "" {
		d.Fatalf("the provider answers at %s: %d %s", at, r.Code, r.Body)
	}
	return form
}

// post is the POST from the provider's site, to which a browser adds no cookie.
func (d *dish) post(form url.Values) fronttest.Answer {
	d.Helper()
	return d.browser().visit(dishPath+"acs", form)
}

func TestAViewerLogsInOverSAML(t *testing.T) {
	d := startDish(t)
	b, code := d.browser(), d.code("tv", "dish")
	r := d.post(d.answer(b, code))
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the answer: %d %s", r.StatusCode, r.Raw)
	}
	if end, _ := b.follow(r.Header.Get("Location"), nil); end != home {
		t.Errorf("the browser ends at %s", end)
	}
	found := d.do(d.call("GET", "profiles/dish", "tv"))
	if text := string(found.Raw); !strings.Contains(text, `"viewer-7"`) || !strings.Contains(text, `"12345"`) {
		t.Errorf("the device finds %s", text)
	}
	if answer := d.authorize("tv", "dish"); answer != "permit" {
		t.Errorf("authorize: %s", answer)
	}
}

// A provider may say much of a viewer.
func TestALongAnswer(t *testing.T) {
	d := startDish(t)
	for bytes, want := range map[int]int{180_000: http.StatusSeeOther, 300_000: http.StatusBadRequest} {
		d.portrait = bytes
		if r := d.post(d.answer(d.browser(), d.code("tv", "dish"))); r.StatusCode != want {
			t.Errorf("with %d bytes: %d %s, want %d", bytes, r.StatusCode, r.Raw, want)
		}
	}
}

// TestAnAnswerIsForItsBrowser: whoever catches an answer has no cookie for it.
func TestAnAnswerIsForItsBrowser(t *testing.T) {
	d := startDish(t)
	b, code := d.browser(), d.code("tv", "dish")
	form := d.answer(b, code)
	location := d.post(form).Header.Get("Location")
	thief := d.browser()
	d.answer(thief, d.code("other", "dish"))
	if _, r := thief.follow(location, nil); r.StatusCode != http.StatusBadRequest {
		t.Errorf("another browser gets %d", r.StatusCode)
	}
	if again := d.post(form); again.StatusCode != http.StatusBadRequest {
		t.Errorf("the answer counts a second time: %d", again.StatusCode)
	}
	if end, _ := b.follow(location, nil); end != home {
		t.Errorf("its own browser ends at %s", end)
	}
	stolen := d.answer(d.browser(), d.code("phone", "dish"))
	stolen.Set("RelayState", d.answer(thief, d.code("other", "dish")).Get("RelayState"))
	end, _ := thief.follow(d.post(stolen).Header.Get("Location"), nil)
	if !strings.HasPrefix(end, home+"?error=invalid_request") || len(d.found("other")) > 0 {
		t.Errorf("with the state of another login the browser ends at %s, and the device finds %v", end, d.found("other"))
	}
}

// TestAnswersThatAreNone are refused with a page.
func TestAnswersThatAreNone(t *testing.T) {
	d := startDish(t)
	good := d.answer(d.browser(), d.code("tv", "dish"))
	for name, form := range map[string]url.Values{
		"nothing":        {},
		"no answer":      {"SAMLResponse": {"x"}, "RelayState": good["RelayState"]},
		"no state":       {"SAMLResponse": good["SAMLResponse"]},
		"a strange one":  {"SAMLResponse": good["SAMLResponse"], "RelayState": {"STREAM1.a.dish.b.c"}},
		"another one's":  {"SAMLResponse": good["SAMLResponse"], "RelayState": {strings.Replace(good.Get("RelayState"), ".dish.", ".cable.", 1)}},
		"the form twice": {"SAMLResponse": {good.Get("SAMLResponse"), good.Get("SAMLResponse")}, "RelayState": good["RelayState"]},
	} {
		if r := d.post(form); r.StatusCode != http.StatusBadRequest || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s, want a page with 400", name, r.StatusCode, r.Raw)
		}
	}
	if r := d.do(fronttest.Call{Method: "POST", Path: dishPath + "acs", Body: good.Encode()}.With("Content-Type", "text/plain")); r.StatusCode != http.StatusBadRequest {
		t.Errorf("no form: %d", r.StatusCode)
	}
	if r := d.post(good); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the good one: %d", r.StatusCode)
	}
}

// logIn logs a device in.
func (d *dish) logIn(device string) {
	d.Helper()
	b := d.browser()
	if end, _ := b.follow(d.post(d.answer(b, d.code(device, "dish"))).Header.Get("Location"), nil); end != home {
		d.Fatalf("the browser ends at %s", end)
	}
}

// TestALogoutGoesOverTheProvider and comes back to the app.
func TestALogoutGoesOverTheProvider(t *testing.T) {
	d := startDish(t)
	d.logIn("tv")
	r := d.do(d.call("GET", "logout/dish?redirectUrl="+url.QueryEscape(home), "tv"))
	logout := r.JSON["logouts"].(map[string]any)["dish"].(map[string]any)
	if logout["actionName"] != "logout" || len(d.found("tv")) > 0 {
		t.Fatalf("logout: %s", r.Raw)
	}
	b := d.browser()
	at, _ := b.follow(logout["url"].(string), nil)
	back := d.serve(d.ServeSLO, at).Result().Header.Get("Location")
	if end, r := b.follow(back, nil); end != home {
		t.Errorf("the browser ends at %s: %s", end, r.Raw)
	}
}

// formPage is a page that sends a form: where to, and what.
var formPage = regexp.MustCompile(`<form method="post" action="([^"]*)">`)

// sent lets the browser send the form of a page to the provider. The page must look like all
// others in the viewer's language, and have a button for browsers without scripts.
func (d *dish) sent(r fronttest.Answer, handler http.HandlerFunc, to url.URL) *httptest.ResponseRecorder {
	d.Helper()
	text := string(r.Raw)
	at := formPage.FindStringSubmatch(text)
	if r.StatusCode != http.StatusOK || at == nil || at[1] != to.String() {
		d.Fatalf("no form for %s: %d %s", to.String(), r.StatusCode, text)
	}
	sum := sha256.Sum256([]byte("document.forms[0].submit();"))
	for _, want := range []string{`lang="de"`, "<h1>Einen Moment, bitte</h1>", "<bdi>dish</bdi>", `<button class="first wide" type="submit">Weiter</button>`, "<script>document.forms[0].submit();</script>"} {
		if !strings.Contains(text, want) {
			d.Errorf("the page lacks %s: %s", want, text)
		}
	}
	if policy := r.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		d.Errorf("the policy %q forbids the script", policy)
	}
	post := httptest.NewRequest(http.MethodPost, at[1], strings.NewReader(fields(text).Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	handler(answer, post)
	return answer
}

// TestAProviderThatTakesFormsOnly is sent them by pages of the service.
func TestAProviderThatTakesFormsOnly(t *testing.T) {
	d := startDishAs(t, func(metadata string) string { return strings.ReplaceAll(metadata, "HTTP-Redirect", "HTTP-POST") })
	b := d.browser()
	b.header = []string{"Accept-Language", "de-AT"}
	_, r := b.follow("/api/v2/authenticate/"+b.sp+"/"+d.code("tv", "dish"), nil)
	if !strings.Contains(string(r.Raw), "<header><p>STREAM1</p></header>") {
		t.Errorf("the page has no brand: %s", r.Raw)
	}
	answer := d.sent(r, d.ServeSSO, d.SSOURL)
	if end, _ := b.follow(d.post(fields(answer.Body.String())).Header.Get("Location"), nil); end != home || d.found("tv")["dish"] != "regular" {
		t.Fatalf("the browser ends at %s, and the device finds %v", end, d.found("tv"))
	}
	r = d.do(d.call("GET", "logout/dish?redirectUrl="+url.QueryEscape(home), "tv"))
	logout := r.JSON["logouts"].(map[string]any)["dish"].(map[string]any)
	_, r = b.follow(logout["url"].(string), nil)
	answer = d.sent(r, d.ServeSLO, d.LogoutURL) // it answers as it was asked
	if end, r := b.follow(dishPath+"slo", fields(answer.Body.String())); end != home {
		t.Errorf("the logout ends at %s: %s", end, r.Raw)
	}
}

// InvalidateSession lets the provider forget its viewer.
func (d *dish) InvalidateSession(http.ResponseWriter, *http.Request, *saml.IdpLogoutRequest) error {
	return nil
}

// AddSessionParticipant and SessionParticipants let the provider know whom it logged in.
func (d *dish) AddSessionParticipant(_ *http.Request, _ *saml.Session, by saml.SessionParticipant) error {
	d.participants = append(d.participants, by)
	return nil
}

// SessionParticipants are those of its only session.
func (d *dish) SessionParticipants(*http.Request, func(*saml.Session) bool) ([]saml.SessionParticipant, error) {
	return d.participants[len(d.participants)-1:], nil
}

// TestTheProviderLogsAViewerOut on every device, and hears so.
func TestTheProviderLogsAViewerOut(t *testing.T) {
	d := startDish(t)
	d.logIn("tv")
	d.logIn("phone")
	r := httptest.NewRecorder()
	d.StartLogout(r, httptest.NewRequest(http.MethodGet, "https://idp.dish.example/bye", nil), &saml.Session{ID: "1"}, "https://idp.dish.example/done")
	request := r.Result().Header.Get("Location")
	b := d.browser()
	at, _ := b.follow(request, nil)
	for len(d.found("tv"))+len(d.found("phone")) > 0 && t.Context().Err() == nil { // by intents, within a second
	}
	answer := httptest.NewRequest(http.MethodGet, at, nil)
	for _, c := range r.Result().Cookies() {
		answer.AddCookie(c)
	}
	done := httptest.NewRecorder()
	d.ServeSLO(done, answer)
	if end := done.Result().Header.Get("Location"); end != "https://idp.dish.example/done" {
		t.Errorf("the provider does not take the answer: %d %s", done.Code, done.Body)
	}
	if again, _ := b.follow(request, nil); !strings.Contains(again, "SAMLResponse=") {
		t.Errorf("a second time the browser goes to %s", again)
	}
	d.logIn("tv")
	if _, _ = b.follow(request, nil); len(d.found("tv")) == 0 {
		t.Error("the request counts a second time")
	}
}

// TestLogoutsThatAreNone are refused with a page.
func TestLogoutsThatAreNone(t *testing.T) {
	d := startDish(t)
	for _, path := range []string{"", "?SAMLRequest=x", "?SAMLRequest=x&SigAlg=y&Signature=z", "?SAMLResponse=x&RelayState=y"} {
		if r := d.browser().visit(dishPath+"slo"+path, nil); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", path, r.StatusCode)
		}
	}
	if r := d.browser().visit(dishPath+"slo", url.Values{"SAMLRequest": {"x"}}); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a form: %d, want 400", r.StatusCode)
	}
}
