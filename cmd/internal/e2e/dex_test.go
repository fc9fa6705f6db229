package e2e

import (
	"bufio"
	"html"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ssod/cmd/internal/ssodtest"
	"ssod/httpfront/client"
)

// TestDex logs a viewer in at dex, another foreign implementation: with PKCE and rotating
// refresh tokens, claims in the ID token, and without a logout of its own. The viewer's id is
// a claim other than sub.
func TestDex(t *testing.T) {
	if !ssodtest.Long() {
		t.Skip("builds dex, which takes over a minute of CPU; SSOD_LONG=1 runs it")
	}
	t.Parallel()
	const secret, password = "shared with dex", "of the viewer"
	issuer := startDex(t, secret, password)
	file := filepath.Join(t.TempDir(), "cable.secret")
	must(t, os.WriteFile(file, []byte(secret), 0o600))
	n := startNode(t, `
publicURL: `+publicURL+`
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, displayName: Stream One, domains: [app.example]}]
    mvpds:
      - {id: cable, kind: oidc, issuer: "`+issuer+`", clientId: ssod, clientSecretFile: "`+file+`", decision: authenticated,
         scopes: [profile, email, offline_access], attributes: {userID: email, name: name, verified: email_verified}}
`)
	phone := newOpenIDApp(t, n)
	session, err := phone.CreateSession(t.Context(), client.SessionParameters{MVPD: "cable", DomainName: "app.example", RedirectURL: "https://app.example/in"})
	must(t, err)
	b := newOpenIDBrowser(t, n)
	b.open(session.URL)
	b.page = html.UnescapeString(b.page)
	b.submit(url.Values{"login": {"viewer-1@cable.example"}, "password": {password}})
	if b.at != "https://app.example/in" {
		t.Fatalf("the login ends at %s: %s", b.at, b.page)
	}
	profiles, err := phone.Profiles(t.Context())
	must(t, err)
	for name, want := range map[string]string{"userID": `"viewer-1@cable.example"`, "name": `"Viewer One"`, "verified": "true"} {
		if got := string(profiles["cable"].Attributes[name].Value); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	decisions, err := phone.Authorize(t.Context(), "cable", "news")
	must(t, err)
	if !decisions[0].Authorized {
		t.Errorf("news: %+v", decisions[0])
	}
	out, err := phone.Logout(t.Context(), "cable", "https://app.example/out")
	must(t, err)
	if out.URL != "" {
		t.Errorf("dex has no logout, and the browser is sent to %s", out.URL)
	}
	if profiles, err = phone.Profiles(t.Context()); err != nil || len(profiles) > 0 {
		t.Errorf("after the logout: %+v, %v", profiles, err)
	}
	for _, hidden := range []string{secret, password, "viewer-1"} {
		if strings.Contains(n.Logged(), hidden) {
			t.Errorf("%q is in the log", hidden)
		}
	}
}

// startDex builds and runs testdata/dex and returns its issuer.
func startDex(t *testing.T, secret, password string) (issuer string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "dex")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir, build.Env = "testdata/dex", append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build dex: %v\n%s", err, said)
	}
	dex := exec.Command(binary)
	dex.Env = append(os.Environ(), "SECRET="+secret, "PASSWORD="+password, "CALLBACK="+publicURL+"/api/v2/authenticate/callback")
	said, err := dex.StdoutPipe()
	must(t, err)
	must(t, dex.Start())
	t.Cleanup(func() {
		_ = dex.Process.Kill()
		_ = dex.Wait() // it was killed
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	must(t, err)
	return strings.TrimSpace(line)
}
