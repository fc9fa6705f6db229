package browse

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ssod/cmd/internal/node"
)

// configuration has a sandbox, and a platform whose tokens the test can sign.
// The app's own pages are on this machine.
const configuration = `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: STREAM1, displayName: Stream One, domains: ["127.0.0.1"]}]
    platforms: [{name: firetv, issuer: amazon, algorithms: [HS256], jwksFile: platform.json}]
    mvpds: [{id: AcmeTV, displayName: Acme TV, kind: sandbox}]
`

var platformSecret = []byte("thirty-two bytes of the platform")

// world is a node, and an app with its own pages.
type world struct {
	*testing.T
	api, admin string
	back       string // where browsers come back to the app
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("platform.json", `{"keys":[{"kty":"oct","k":"`+base64.RawURLEncoding.EncodeToString(platformSecret)+`"}]}`)
	n, err := node.Start(t.Context(), node.Config{
		File: write("ssod.yaml", configuration), Data: filepath.Join(dir, "data"), DefaultName: "n1",
		HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0", RPC: "127.0.0.1:7947", Shards: 4, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &world{T: t, api: "http://" + n.HTTP(), admin: "http://" + n.Admin(), back: appPages(t)}
}

// appPages serves the pages where the app takes its viewers back.
func appPages(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Back</title><p>Back at the app`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// do makes a call and decodes a JSON answer, which must have the status.
func (w *world) do(method, at string, header map[string]string, body string, status int, out any) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), method, at, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		w.Fatalf("%s %s: got %d %s, %v, want %d", method, at, response.StatusCode, text, err, status)
	}
	if err := json.Unmarshal(text, out); err != nil {
		w.Fatalf("%s %s answered %q: %v", method, at, text, err)
	}
}

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

// device is an app on a device, and what proves its viewer.
type device struct {
	*world
	access, id string
	identity   map[string]string // headers
}

// newDevice registers an app on a device.
func (w *world) newDevice(id string) *device {
	w.Helper()
	var statement struct{ SoftwareStatement string }
	w.do("POST", w.admin+"/admin/v1/software-statements", map[string]string{"Content-Type": asJSON},
		`{"clientName":"app","serviceProviders":["STREAM1"]}`, 201, &statement)
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	w.do("POST", w.api+"/o/client/register", map[string]string{"Content-Type": asJSON},
		`{"software_statement":"`+statement.SoftwareStatement+`"}`, 201, &client)
	var token struct {
		Access string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client.ID}, "client_secret": {client.Secret}}
	w.do("POST", w.api+"/o/client/token", map[string]string{"Content-Type": asForm}, form.Encode(), 201, &token)
	return &device{world: w, access: token.Access, id: base64.StdEncoding.EncodeToString([]byte(id))}
}

// call calls an operation of the app's service provider.
func (d *device) call(method, path, contentType, body string, status int, out any) {
	d.Helper()
	header := map[string]string{"Authorization": "Bearer " + d.access, "AP-Device-Identifier": "fingerprint " + d.id}
	if contentType != "" {
		header["Content-Type"] = contentType
	}
	for name, value := range d.identity {
		header[name] = value
	}
	d.do(method, d.api+path, header, body, status, out)
}

// signIn gets a service token by X-SSO-ID or X-SSO-LINK, and uses it from now on.
func (d *device) signIn(by, value string) {
	d.Helper()
	var answer struct{ ServiceToken string }
	d.identity = map[string]string{by: value}
	d.call("POST", "/api/STREAM1/serviceToken", "", "", 201, &answer)
	d.identity = map[string]string{"AD-Service-Token": answer.ServiceToken}
}

// link makes a link code.
func (d *device) link() string {
	d.Helper()
	var answer struct{ Code string }
	d.call("POST", "/api/STREAM1/link", "", "", 201, &answer)
	return answer.Code
}

// onPlatform proves the viewer by what the device's platform says.
func (d *device) onPlatform(subject string) {
	d.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "amazon", "sub": subject, "aud": "adobe", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(platformSecret)
	if err != nil {
		d.Fatal(err)
	}
	d.identity = map[string]string{"Adobe-Subject-Token": token}
}

// beginLogin returns where the browser goes, and the code to ask with.
func (d *device) beginLogin() (address, code string) {
	d.Helper()
	form := url.Values{"mvpd": {"AcmeTV"}, "domainName": {"127.0.0.1"}, "redirectUrl": {d.back + "/in"}}
	var answer struct{ ActionName, URL, Code string }
	d.call("POST", "/api/v2/STREAM1/sessions", asForm, form.Encode(), 200, &answer)
	if answer.ActionName != "authenticate" {
		d.Fatalf("begin a login: got %+v", answer)
	}
	return d.api + answer.URL, answer.Code
}

// expectLogin checks the type of the login that is found; "" stands for none.
func (d *device) expectLogin(path, want string) {
	d.Helper()
	var answer struct {
		Profiles map[string]struct{ Type string }
	}
	d.call("GET", "/api/v2/STREAM1/"+path, "", "", 200, &answer)
	if got := answer.Profiles["AcmeTV"].Type; got != want {
		d.Errorf("%s: the login is of type %q, want %q", path, got, want)
	}
}

// expectDecision checks what authorize says; "" stands for a permit.
func (d *device) expectDecision(want string) {
	d.Helper()
	var answer struct {
		Decisions []struct {
			Authorized bool
			Token      struct{ SerializedToken string }
			Error      struct{ Code string }
		}
	}
	d.call("POST", "/api/v2/STREAM1/decisions/authorize/AcmeTV", asJSON, `{"resources":["channel-1"]}`, 200, &answer)
	got := answer.Decisions[0]
	if got.Error.Code != want || got.Authorized != (want == "") || got.Authorized != (got.Token.SerializedToken != "") {
		d.Errorf("authorize: got %+v, want %q", got, want)
	}
}

// beginLogout returns where the browser ends its session at the MVPD.
func (d *device) beginLogout() string {
	d.Helper()
	var answer struct {
		Logouts map[string]struct{ ActionName, URL string }
	}
	d.call("GET", "/api/v2/STREAM1/logout/AcmeTV?redirectUrl="+url.QueryEscape(d.back+"/out"), "", "", 200, &answer)
	if answer.Logouts["AcmeTV"].ActionName != "logout" {
		d.Fatalf("logout: got %+v", answer)
	}
	return d.api + answer.Logouts["AcmeTV"].URL
}
