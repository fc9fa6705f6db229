package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
)

// TestAnOpenIDProvider logs a viewer in and out at oidc-provider, a foreign
// implementation in a process of its own, and lets a decision point decide.
func TestAnOpenIDProvider(t *testing.T) {
	t.Parallel()
	const secret = "shared with the TV provider"
	issuer := startOpenIDProvider(t, secret)
	file := filepath.Join(t.TempDir(), "cable.secret")
	must(t, os.WriteFile(file, []byte(secret), 0o600))
	n := startNode(t, `
publicURL: `+publicURL+`
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, displayName: Stream One, domains: [app.example]}]
    mvpds:
      - id: cable
        kind: oidc
        issuer: `+issuer+`
        clientId: ssod
        clientSecretFile: `+file+`
        scopes: [openid, address]
        attributes: {zip: address.postal_code}
        authzURL: `+startDecisionPoint(t)+`
`)
	phone := newOpenIDApp(t, n)
	b := newOpenIDBrowser(t, n)

	session, err := phone.CreateSession(t.Context(), client.SessionParameters{MVPD: "cable", DomainName: "app.example", RedirectURL: "https://app.example/in"})
	must(t, err)
	if at := b.logIn(session.URL, "viewer-1"); at != "https://app.example/in" {
		t.Fatalf("the login ends at %s", at)
	}
	profiles, err := phone.ProfileByCode(t.Context(), session.Code)
	must(t, err)
	got := profiles["cable"]
	if string(got.Attributes["userID"].Value) != `"viewer-1"` || string(got.Attributes["zip"].Value) != `"12345"` {
		t.Errorf("the profile is %+v", got)
	}
	decisions, err := phone.Authorize(t.Context(), "cable", "news")
	must(t, err)
	if !decisions[0].Authorized {
		t.Errorf("news: %+v", decisions[0])
	}
	decisions, err = phone.Authorize(t.Context(), "cable", "sports")
	must(t, err)
	if e := decisions[0].Error; decisions[0].Authorized || e == nil || e.Details != "Not in your package" {
		t.Errorf("sports: %+v", decisions[0])
	}

	out, err := phone.Logout(t.Context(), "cable", "https://app.example/out")
	must(t, err)
	if at := b.logOut(out.URL); at != "https://app.example/out" {
		t.Errorf("the logout ends at %s", at)
	}
	if profiles, err = phone.Profiles(t.Context()); err != nil || len(profiles) > 0 {
		t.Errorf("after the logout: %+v, %v", profiles, err)
	}
	playSecondScreen(t, n, phone, "cable", func(b *browsertest.Browser) {
		b.Focus("[name=login]")
		b.Type("viewer-2")
		b.Focus("[name=password]")
		b.Type("any")
		b.PressAndWait("Enter")
		b.Focus("button[type=submit]") // the viewer agrees
		b.PressAndWait("Enter")
	})
	for _, hidden := range []string{secret, "viewer-1"} {
		if strings.Contains(n.Logged(), hidden) {
			t.Errorf("%q is in the log", hidden)
		}
	}
}

// startOpenIDProvider runs testdata/oidcprovider and returns its issuer.
func startOpenIDProvider(t *testing.T, secret string) (issuer string) {
	t.Helper()
	return startPeer(t, "oidcprovider", "SECRET="+secret, "CALLBACK="+publicURL+"/api/v2/authenticate/callback",
		"SIGNED_OUT="+publicURL+"/api/v2/logout-agent/callback")
}

// startPeer runs provider.mjs of a directory in testdata, a foreign implementation of a TV
// provider, and returns the line that it prints: its address.
func startPeer(t *testing.T, name string, environment ...string) (address string) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("needs npm")
	}
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))))
	install := exec.CommandContext(t.Context(), "npm", "ci", "--silent", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if said, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, said)
	}
	ctx, stop := context.WithCancel(context.Background())
	provider := exec.CommandContext(ctx, "node", "provider.mjs")
	provider.Dir, provider.Stderr = dir, io.Discard // it warns of what only tests may do
	provider.Env = append(os.Environ(), environment...)
	said, err := provider.StdoutPipe()
	must(t, err)
	must(t, provider.Start())
	t.Cleanup(func() {
		stop()
		_ = provider.Wait() // it was killed
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	must(t, err)
	return strings.TrimSpace(line)
}

// startDecisionPoint decides on news and nothing else.
func startDecisionPoint(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Subject, Resource struct{ ID string } }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Subject.ID != "viewer-1" {
			http.Error(w, "who?", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if q.Resource.ID == "news" {
			_, _ = io.WriteString(w, `{"decision":true}`)
			return
		}
		_, _ = io.WriteString(w, `{"decision":false,"context":{"reason_user":{"en":"Not in your package"}}}`)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/access/v1/evaluation"
}

// newOpenIDApp is an app on a phone.
func newOpenIDApp(t *testing.T, n *node) *client.Device {
	t.Helper()
	c, credentials := registerOpenIDApp(t, n)
	return c.WithCredentials(credentials).Device(client.DeviceOptions{ID: "phone"})
}

func registerOpenIDApp(t *testing.T, n *node) (*client.Client, client.Credentials) {
	t.Helper()
	c, err := client.New(client.Options{BaseURL: "http://" + n.at().HTTP, ServiceProvider: "tv"})
	must(t, err)
	signed, _, err := n.newStatement(t.Context(), statementRequest{ClientName: "app", ServiceProviders: []string{"tv"}})
	must(t, err)
	r, err := c.Register(t.Context(), signed, "")
	must(t, err)
	return c, r.Credentials
}

// openIDBrowser follows redirects and keeps cookies, up to the pages of the app.
type openIDBrowser struct {
	*testing.T
	http.Client
	node *node
	at   string // where it is
	page string // what it shows
}

func newOpenIDBrowser(t *testing.T, n *node) *openIDBrowser {
	jar, err := cookiejar.New(nil)
	must(t, err)
	dial := &net.Dialer{}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == strings.TrimPrefix(publicURL, "http://")+":80" {
			address = n.at().HTTP
		}
		return dial.DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &openIDBrowser{T: t, node: n, Client: http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host == "app.example" {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// take keeps where an answer left the browser.
func (b *openIDBrowser) take(r *http.Response, err error) {
	b.Helper()
	must(b, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	must(b, err)
	b.at, b.page = r.Request.URL.String(), string(body)
	if to := r.Header.Get("Location"); to != "" {
		b.at = to
	}
	if r.StatusCode >= http.StatusBadRequest {
		b.Fatalf("%s answered %d: %s", b.at, r.StatusCode, b.page)
	}
}

var (
	formAction = regexp.MustCompile(`action="([^"]+)"`)
	formInput  = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// submit sends the form of the page with what the viewer adds.
func (b *openIDBrowser) submit(more url.Values) {
	b.Helper()
	action := formAction.FindStringSubmatch(b.page)
	if action == nil {
		b.Fatalf("no form at %s: %s", b.at, b.page)
	}
	for _, input := range formInput.FindAllStringSubmatch(b.page, -1) {
		more.Set(input[1], input[2])
	}
	base, err := url.Parse(b.at)
	must(b, err)
	to, err := base.Parse(action[1])
	must(b, err)
	b.take(b.PostForm(to.String(), more))
}

// open opens an address of the service as the public knows it.
func (b *openIDBrowser) open(address string) {
	b.Helper()
	u, err := url.Parse(address)
	must(b, err)
	b.take(b.Get(publicURL + u.RequestURI()))
}

func (b *openIDBrowser) logIn(address, viewer string) string {
	b.Helper()
	b.open(address)
	b.submit(url.Values{"login": {viewer}, "password": {"any"}})
	b.submit(url.Values{}) // the viewer agrees
	return b.at
}

func (b *openIDBrowser) logOut(address string) string {
	b.Helper()
	b.open(address)
	b.submit(url.Values{"logout": {"yes"}})
	return b.at
}
