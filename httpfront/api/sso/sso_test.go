package sso_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/fronttest"
	"ssod/httpfront/token/keys"
)

// app is an application with an access token, on a node.
type app struct {
	*testing.T
	node   *fronttest.Node
	access string
}

func start(t *testing.T, config string) *app {
	t.Parallel()
	n := fronttest.Start(t, fronttest.Options{Config: config})
	return &app{t, n, n.AccessToken(t, "STREAM1", "STREAM2")}
}

// call is a request with the headers that every call needs.
func (a *app) call(method, resource, device string, header ...string) fronttest.Call {
	c := fronttest.Call{Method: method, Path: "/api/STREAM1/" + resource}
	c = c.With("Authorization", "Bearer "+a.access)
	if device != "" {
		c = c.With("AP-Device-Identifier", fronttest.Device(device))
	}
	return c.With(header...)
}

func (a *app) do(c fronttest.Call) fronttest.Answer { a.Helper(); return a.node.Do(a.T, c) }

// mint joins a device with X-SSO-ID and returns its token.
func (a *app) mint(device, ssoID string) string {
	a.Helper()
	r := a.do(a.call("POST", "serviceToken", device, "X-SSO-ID", ssoID))
	if r.StatusCode != http.StatusCreated {
		a.Fatalf("mint: %d %s", r.StatusCode, r.Raw)
	}
	return r.Text("serviceToken")
}

func (a *app) link(device, token string) string {
	a.Helper()
	r := a.do(a.call("POST", "link", device, "AD-Service-Token", token))
	if r.StatusCode != http.StatusCreated {
		a.Fatalf("link: %d %s", r.StatusCode, r.Raw)
	}
	return r.Text("code")
}

func (a *app) unlink(device, token, body string) fronttest.Answer {
	a.Helper()
	c := a.call("POST", "unlink", device, "AD-Service-Token", token, "Content-Type", "application/json")
	c.Body = body
	return a.do(c)
}

func (a *app) devices(device, token string) map[string]any {
	a.Helper()
	r := a.do(a.call("GET", "list", device, "AD-Service-Token", token))
	devices, ok := r.JSON["devices"].(map[string]any)
	if r.StatusCode != http.StatusOK || !ok {
		a.Fatalf("list: %d %s", r.StatusCode, r.Raw)
	}
	return devices
}

func id(device string) string { return base64.StdEncoding.EncodeToString([]byte(device)) }

// fails checks status, code and message of an error; an empty message is not
// looked at.
func (a *app) fails(r fronttest.Answer, status int, code, message string) {
	a.Helper()
	if r.StatusCode != status || r.Text("code") != code || message != "" && r.Text("message") != message {
		a.Errorf("got %d %s, want %d %s %q", r.StatusCode, r.Raw, status, code, message)
	}
}

// TestTwoDevices is flow F2: a second device joins with a link code, both are
// listed, and an unlinked one loses access at once.
func TestTwoDevices(t *testing.T) {
	a := start(t, "")
	tv := a.mint("tv", "viewer")
	code := a.link("tv", tv)
	if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(code) {
		t.Fatalf("code %q", code)
	}
	typed := code[:3] + " - " + code[3:]
	r := a.do(a.call("POST", "serviceToken", "phone", "X-SSO-LINK", typed, "X-SSO-ID", "somebody else"))
	if r.StatusCode != http.StatusCreated || r.Text("serviceToken") != r.Text("jws") {
		t.Fatalf("redeem: %d %s", r.StatusCode, r.Raw)
	}
	phone := r.Text("jws")
	a.fails(a.do(a.call("POST", "serviceToken", "tablet", "X-SSO-LINK", code)), 400, "token_invalid", "The provided token is invalid")

	kinds := map[string]any{}
	for device, attributes := range a.devices("tv", tv) {
		kinds[device] = attributes.(map[string]any)["type"]
	}
	if diff := cmp.Diff(map[string]any{id("tv"): "regular", id("phone"): "sso"}, kinds); diff != "" {
		t.Errorf("members: -want +got\n%s", diff)
	}

	r = a.unlink("tv", tv, `{"devices":["`+id("phone")+`","nobody"]}`)
	if got := string(r.Raw); got != `{"status":"OK","unlinkedDevices":["`+id("phone")+`"]}` {
		t.Errorf("unlink: %s", got)
	}
	for _, c := range []fronttest.Call{
		a.call("GET", "serviceToken", "", "AD-Service-Token", phone),
		a.call("POST", "link", "phone", "AD-Service-Token", phone),
		a.call("GET", "list", "phone", "AD-Service-Token", phone),
	} {
		a.fails(a.do(c), 400, "token_invalid", "The provided token is invalid")
	}
	if n := len(a.devices("tv", tv)); n != 1 {
		t.Errorf("%d devices left, want 1", n)
	}
}

// TestALinkCodeAsAPicture is there when it is asked for, and then only.
func TestALinkCodeAsAPicture(t *testing.T) {
	a := start(t, "")
	token := a.mint("tv", "viewer")
	call := func(query, body string) fronttest.Call {
		c := a.call("POST", "link"+query, "tv", "AD-Service-Token", token)
		if c.Body = body; body != "" {
			c = c.With("Content-Type", "application/x-www-form-urlencoded")
		}
		return c
	}
	for name, tt := range map[string]struct {
		call fronttest.Call
		want bool
	}{
		"not asked for": {call("", ""), false}, "in the query": {call("?qr=true", ""), true}, "in a form": {call("", "qr=true"), true},
		"not true": {call("?qr=false", "qr=1"), false}, "twice": {call("?qr=true&qr=true", ""), false},
	} {
		r := a.do(tt.call)
		if r.StatusCode != http.StatusCreated || strings.HasPrefix(r.Text("qr"), "<svg ") != tt.want {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Raw)
		}
	}
}

func TestRefresh(t *testing.T) {
	a := start(t, "")
	token := a.mint("tv", "viewer")
	refresh := func() fronttest.Answer { return a.do(a.call("GET", "serviceToken", "", "AD-Service-Token", token)) }
	a.node.Sleep(time.Hour + time.Minute) // expired recently
	r := refresh()
	if r.StatusCode != 200 || r.Text("status") != "OK" || r.Text("jws") == token || r.Text("jws") != r.Text("serviceToken") {
		t.Fatalf("refresh: %d %s", r.StatusCode, r.Raw)
	}
	if life := r.JSON["notAfter"].(float64) - r.JSON["notBefore"].(float64); life != 3600_000 {
		t.Errorf("life %v ms", life)
	}
	a.fails(a.do(a.call("GET", "list", "tv", "AD-Service-Token", token)), 401, "token_expired", "The token has expired")
	a.access = a.node.AccessToken(t, "STREAM1")
	a.node.Sleep(7 * 24 * time.Hour)
	a.access = a.node.AccessToken(t, "STREAM1")
	r = refresh()
	a.fails(r, 401, "token_expired", "The token has expired")
	if r.Header.Get("WWW-Authenticate") != "" {
		t.Error("the access token is not to blame")
	}
}

func TestUnlinkSpellings(t *testing.T) {
	for _, spelling := range []string{id("phone"), "phone", "fingerprint " + id("phone"), "Fingerprint  " + strings.TrimRight(id("phone"), "=")} {
		t.Run(spelling, func(t *testing.T) {
			a := start(t, "")
			tv := a.mint("tv", "viewer")
			a.mint("phone", "viewer")
			r := a.unlink("tv", tv, fmt.Sprintf(`{"devices":[%q,"unknown",%q],"Devices":5}`, spelling, spelling))
			if got, want := string(r.Raw), fmt.Sprintf(`{"status":"OK","unlinkedDevices":[%q]}`, spelling); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestUnlinkBodies(t *testing.T) {
	a := start(t, "")
	tv := a.mint("tv", "viewer")
	many := `"x"` + strings.Repeat(`,"x"`, 100)
	tests := []struct {
		name, body    string
		code, message string
	}{
		{"empty", "", "request_null", "Request object cannot be null"},
		{"blank", " \r\n", "request_null", "Request object cannot be null"},
		{"null", " null ", "request_null", "Request object cannot be null"},
		{"no devices", "{}", "request_invalid", "Devices list cannot be null or empty"},
		{"devices null", `{"devices":null}`, "request_invalid", "Devices list cannot be null or empty"},
		{"devices empty", `{"devices":[]}`, "request_invalid", "Devices list cannot be null or empty"},
		{"another case", `{"Devices":["x"]}`, "request_invalid", "Devices list cannot be null or empty"},
		{"broken", `{"devices": [`, "request_invalid", "Request body is invalid"},
		{"array", `["x"]`, "request_invalid", "Request body is invalid"},
		{"text", `"x"`, "request_invalid", "Request body is invalid"},
		{"number in devices", `{"devices":["x",5]}`, "request_invalid", "Request body is invalid"},
		{"null in devices", `{"devices":[null]}`, "request_invalid", "Request body is invalid"},
		{"empty id", `{"devices":[""]}`, "request_invalid", "Request body is invalid"},
		{"devices is an object", `{"devices":{}}`, "request_invalid", "Request body is invalid"},
		{"devices twice", `{"devices":["x"],"devices":["y"]}`, "request_invalid", "Request body is invalid"},
		{"101 devices", `{"devices":[` + many + `]}`, "request_invalid", "Request body is invalid"},
		{"too deep", `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `,"devices":["x"]}`, "request_invalid", "Request body is invalid"},
		{"not UTF-8", "{\"devices\":[\"\xff\"]}", "request_invalid", "Request body is invalid"},
		{"byte order mark", "\xef\xbb\xbf{\"devices\":[\"x\"]}", "request_invalid", "Request body is invalid"},
		{"more behind it", `{"devices":["x"]}{}`, "request_invalid", "Request body is invalid"},
		{"huge number", `{"devices":["x"],"n":1` + strings.Repeat("0", 400) + `}`, "", ""},
		{"a million devices", `{"devices":["x"` + strings.Repeat(`,"x"`, 1<<20) + `]}`, "request_invalid", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := a.unlink("tv", tv, tt.body)
			if tt.code == "" {
				if r.StatusCode != 200 {
					t.Errorf("got %d %s", r.StatusCode, r.Raw)
				}
				return
			}
			(&app{T: t}).fails(r, 400, tt.code, tt.message)
		})
	}
}

// TestOrder takes one header more away from the right with every line: the
// first thing that is wrong is what the client is told;
// httpfront/docs/sso.md#check-order.
func TestOrder(t *testing.T) {
	a := start(t, "")
	token := a.mint("tv", "viewer")
	expired := a.node.AccessToken(t, "STREAM1")
	a.node.Sleep(7 * time.Hour)
	a.access = a.node.AccessToken(t, "STREAM1", "STREAM2")
	rival := a.node.AccessToken(t, "RIVAL1")
	token = a.do(a.call("GET", "serviceToken", "", "AD-Service-Token", token)).Text("jws")
	const bad = "@@@"
	tests := []struct {
		name          string
		call          fronttest.Call
		status        int
		code, message string
	}{
		{"Accept first", fronttest.Call{Method: "GET", Path: "/api/NOSUCH/list"}.With("Accept", "text/xml"), 400, "header_invalid", "A header value is invalid: Accept"},
		{"no access token", a.call("GET", "list", "tv", "Authorization", ""), 401, "unauthorized", "Unauthorized access"},
		{"another scheme", a.call("GET", "list", "tv", "Authorization", "Basic "+a.access), 401, "unauthorized", "Unauthorized access"},
		{"no token after the scheme", a.call("GET", "list", "tv", "Authorization", "Bearer"), 401, "unauthorized", "Unauthorized access"},
		{"garbage", a.call("GET", "list", "tv", "Authorization", "Bearer nonsense"), 401, "unauthorized", "Unauthorized access"},
		{"9 KiB", a.call("GET", "list", "tv", "Authorization", "Bearer "+strings.Repeat("a", 9<<10)), 401, "unauthorized", "Unauthorized access"},
		{"a service token as access token", a.call("GET", "list", "tv", "Authorization", "Bearer "+token), 401, "unauthorized", "Unauthorized access"},
		{"expired", a.call("GET", "list", "tv", "Authorization", "Bearer "+expired), 401, "token_expired", "The token has expired"},
		{"unknown service provider", fronttest.Call{Method: "GET", Path: "/api/NOSUCH/list"}.With("Authorization", "Bearer "+a.access), 400, "invalid_parameter_service_provider", ""},
		{"another's service provider", a.call("GET", "list", "tv", "Authorization", "Bearer "+rival), 401, "invalid_access_token_service_provider", ""},

		{"mint: no identity", a.call("POST", "serviceToken", ""), 400, "header_missing", "Either x-sso-id or x-sso-link header is required for POST requests"},
		{"mint: blank identity", a.call("POST", "serviceToken", "tv", "X-SSO-ID", "  "), 400, "header_missing", "Either x-sso-id or x-sso-link header is required for POST requests"},
		{"mint: no device", a.call("POST", "serviceToken", "", "X-SSO-ID", "v", "X-Device-Info", bad), 400, "header_missing", "AP-Device-Identifier header is required for POST requests"},
		{"mint: bad device", a.call("POST", "serviceToken", "", "X-SSO-ID", "v", "AP-Device-Identifier", bad, "X-Device-Info", bad), 400, "invalid_header_device_identifier", ""},
		{"mint: bad device info", a.call("POST", "serviceToken", "tv", "X-SSO-ID", "v\x85", "X-Device-Info", bad), 400, "invalid_header_device_info", ""},
		{"mint: bad X-SSO-ID", a.call("POST", "serviceToken", "tv", "X-SSO-ID", strings.Repeat("v", 257)), 400, "header_invalid", "A header value is invalid: X-SSO-ID"},
		{"mint: X-SSO-ID not UTF-8", a.call("POST", "serviceToken", "tv", "X-SSO-ID", "v\xff"), 400, "header_invalid", "A header value is invalid: X-SSO-ID"},
		{"mint: X-SSO-ID with a control character", a.call("POST", "serviceToken", "tv", "X-SSO-ID", "v\u0085"), 400, "header_invalid", "A header value is invalid: X-SSO-ID"},
		{"mint: bad X-SSO-ID beside a code", a.call("POST", "serviceToken", "tv", "X-SSO-ID", strings.Repeat("v", 257), "X-SSO-LINK", "000000"), 400, "token_invalid", "The provided token is invalid"},

		{"refresh: no token", a.call("GET", "serviceToken", "tv"), 400, "header_missing", "AD-Service-Token header is required for GET requests"},
		{"link: no token", a.call("POST", "link", ""), 401, "header_missing", "AD-Service-Token header is required for link requests"},
		{"unlink: no token", a.call("POST", "unlink", ""), 401, "header_missing", "AD-Service-Token header is required for unlink requests"},
		{"list: no token", a.call("GET", "list", ""), 401, "header_missing", "AD-Service-Token header is required for list requests"},
		{"list: blank token", a.call("GET", "list", "", "AD-Service-Token", " "), 401, "header_missing", "AD-Service-Token header is required for list requests"},
		{"list: bad token before no device", a.call("GET", "list", "", "AD-Service-Token", "abc"), 401, "header_invalid", "Error validating JWT signature"},
		{"list: bad signature", a.call("GET", "list", "", "AD-Service-Token", token[:len(token)-4]+"AAAA"), 401, "header_invalid", "Invalid JWT signature in AD-Service-Token"},
		{"list: access token as service token", a.call("GET", "list", "", "AD-Service-Token", a.access), 401, "header_invalid", "Error validating JWT signature"},
		{"list: no device", a.call("GET", "list", "", "AD-Service-Token", token), 400, "header_missing", "A required header is missing"},
		{"list: bad device", a.call("GET", "list", "", "AD-Service-Token", token, "AP-Device-Identifier", bad), 400, "invalid_header_device_identifier", ""},
		{"list: another device", a.call("GET", "list", "phone", "AD-Service-Token", token), 400, "token_invalid", "The provided token is invalid"},
		{"a code: no token", a.call("GET", "link/123456", ""), 401, "header_missing", "AD-Service-Token header is required for link requests"},
		{"a code: bad token before no device", a.call("GET", "link/123456", "", "AD-Service-Token", "abc"), 401, "header_invalid", "Error validating JWT signature"},
		{"a code: no device", a.call("GET", "link/123456", "", "AD-Service-Token", token), 400, "header_missing", "A required header is missing"},
		{"a code: bad device", a.call("GET", "link/123456", "", "AD-Service-Token", token, "AP-Device-Identifier", bad), 400, "invalid_header_device_identifier", ""},
		{"a code: another device", a.call("GET", "link/123456", "phone", "AD-Service-Token", token), 400, "token_invalid", "The provided token is invalid"},
		{"confirm: no device before no content type", a.call("POST", "link/123456", "", "AD-Service-Token", token), 400, "header_missing", "A required header is missing"},
		{"confirm: no content type before no body", a.call("POST", "link/123456", "tv", "AD-Service-Token", token), 400, "header_missing", "A required header is missing"},
		{"confirm: text before no body", a.call("POST", "link/123456", "tv", "AD-Service-Token", token, "Content-Type", "text/plain"), 400, "header_invalid", "A header value is invalid: Content-Type"},
		{"confirm: no body before another device", a.call("POST", "link/123456", "phone", "AD-Service-Token", token, "Content-Type", "application/json"), 400, "request_null", "Request object cannot be null"},
		{"link: no device", a.call("POST", "link", "", "AD-Service-Token", token), 400, "header_missing", "A required header is missing"},
		{"unlink: no device before no content type", a.call("POST", "unlink", "", "AD-Service-Token", token), 400, "header_missing", "A required header is missing"},
		{"unlink: bad device before no content type", a.call("POST", "unlink", "", "AD-Service-Token", token, "AP-Device-Identifier", bad), 400, "invalid_header_device_identifier", ""},
		{"unlink: no content type before no body", a.call("POST", "unlink", "tv", "AD-Service-Token", token), 400, "header_missing", "A required header is missing"},
		{"unlink: text before no body", a.call("POST", "unlink", "tv", "AD-Service-Token", token, "Content-Type", "text/plain"), 400, "header_invalid", "A header value is invalid: Content-Type"},
		{"unlink: no body before another device", a.call("POST", "unlink", "phone", "AD-Service-Token", token, "Content-Type", "application/json"), 400, "request_null", "Request object cannot be null"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := a.node.Do(t, tt.call)
			(&app{T: t}).fails(r, tt.status, tt.code, tt.message)
			blamesAccess := r.StatusCode == 401 && (tt.code == "unauthorized" || tt.name == "expired" || strings.HasPrefix(tt.code, "invalid_access"))
			if got := r.Header.Get("WWW-Authenticate") == "Bearer"; got != blamesAccess {
				t.Errorf("WWW-Authenticate: %v, want %v", got, blamesAccess)
			}
		})
	}
	if n := len(a.devices("tv", token)); n != 1 {
		t.Errorf("refused calls left %d devices, want 1", n)
	}
}

// A device that said what it is may leave X-Device-Info away later: what its
// User-Agent implies takes nothing back.
func TestDescriptionIsKept(t *testing.T) {
	a := start(t, "")
	said := base64.StdEncoding.EncodeToString([]byte(`{"primaryHardwareType":"TV","model":"OLED 65","osName":"webOS"}`))
	for _, header := range [][]string{{"X-Device-Info", said}, {"User-Agent", "Roku/DVP-9.10 (519.10E04111A)"}} {
		r := a.do(a.call("POST", "serviceToken", "tv", append([]string{"X-SSO-ID", "viewer"}, header...)...))
		if r.StatusCode != http.StatusCreated {
			t.Fatalf("mint: %d %s", r.StatusCode, r.Raw)
		}
		tv, _ := a.devices("tv", r.Text("serviceToken"))[id("tv")].(map[string]any)
		if tv["model"] != "OLED 65" || tv["os"] != "webOS" || tv["deviceType"] != "smartTV" {
			t.Errorf("with %s: got %v", header[0], tv)
		}
	}
}

func TestWrongDeviceSaysWhy(t *testing.T) {
	a := start(t, "")
	token := a.mint("tv", "viewer")
	r := a.do(a.call("GET", "list", "phone", "AD-Service-Token", token))
	if got := r.Text("details"); got != "The token was issued to another device" {
		t.Errorf("details %q", got)
	}
}

func TestRevokedClient(t *testing.T) {
	a := start(t, "")
	client, err := a.node.Keys.VerifyAccess([]byte(a.access), a.node.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.node.Registration.RevokeClient(t.Context(), client.Client); err != nil {
		t.Fatal(err)
	}
	a.fails(a.do(a.call("POST", "serviceToken", "tv", "X-SSO-ID", "v")), 401, "invalid_access_token_client_application", "The access token is invalid due to invalid client application.")
}

// deviceDefault is a configuration in which a device founds a profile by itself.
func deviceDefault() string {
	return strings.Replace(fronttest.Realms, "- id: acme", "- id: acme\n    deviceDefaultSsoId: true", 1)
}

// The longest device identifier makes the longest sub.
func TestDeviceDefaultSSOIDOfALongDevice(t *testing.T) {
	a := start(t, deviceDefault())
	device := strings.Repeat("d", 256)
	r := a.do(a.call("POST", "serviceToken", device))
	if r.StatusCode != http.StatusCreated {
		t.Fatalf("mint: %d %s", r.StatusCode, r.Raw)
	}
	if got := a.devices(device, r.Text("serviceToken")); len(got) != 1 || got[id(device)] == nil {
		t.Errorf("devices: got %v, want the caller", got)
	}
}

func TestDeviceDefaultSSOID(t *testing.T) {
	a := start(t, deviceDefault())
	r := a.do(a.call("POST", "serviceToken", "tv"))
	claims, err := a.node.Keys.VerifyService(a.node.Settings.Config().Realms[0], []byte(r.Text("jws")), a.node.Now(), 0)
	if err != nil || claims.Subject != id("tv") {
		t.Errorf("got %+v, %v; want subject %s", claims, err, id("tv"))
	}
}

// TestGuessing: the sixth wrong code of a device is not even looked up.
func TestGuessing(t *testing.T) {
	a := start(t, "")
	for i := range 5 {
		r := a.do(a.call("POST", "serviceToken", "phone", "X-SSO-LINK", fmt.Sprintf("99999%d", i)))
		a.fails(r, 400, "token_invalid", "The provided token is invalid")
		if got := r.Text("details"); got != "The link code is unknown, expired or already used" {
			t.Errorf("details %q", got)
		}
	}
	r := a.do(a.call("POST", "serviceToken", "phone", "X-SSO-LINK", "999999", "Accept", "text/html, */*"))
	a.fails(r, 429, "too_many_requests", "Too many requests")
	if after := r.Header.Get("Retry-After"); after == "" || after == "0" {
		t.Errorf("Retry-After %q", after)
	}
}

// TestMaxIssued: the eleventh code of a profile within one lifetime.
func TestMaxIssued(t *testing.T) {
	a := start(t, "")
	token := a.mint("tv", "viewer")
	for range 10 {
		a.link("tv", token)
	}
	r := a.do(a.call("POST", "link", "tv", "AD-Service-Token", token))
	a.fails(r, 429, "too_many_requests", "Too many requests")
	if r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestTooManyDevices(t *testing.T) {
	a := start(t, strings.Replace(fronttest.Realms, "- id: acme", "- id: acme\n    maxDevices: 2", 1))
	a.mint("tv", "viewer")
	a.mint("phone", "viewer")
	a.fails(a.do(a.call("POST", "serviceToken", "tablet", "X-SSO-ID", "viewer")), 400, "request_invalid", "The profile has too many devices")
}

func TestRealmsAreApart(t *testing.T) {
	a := start(t, "")
	a.mint("tv", "viewer")
	rival := &app{t, a.node, a.node.AccessToken(t, "RIVAL1")}
	c := rival.call("POST", "serviceToken", "console", "X-SSO-ID", "viewer")
	c.Path = "/api/RIVAL1/serviceToken"
	token := a.do(c).Text("jws")
	c = rival.call("GET", "list", "console", "AD-Service-Token", token)
	c.Path = "/api/RIVAL1/list"
	if devices := a.do(c).JSON["devices"].(map[string]any); len(devices) != 1 {
		t.Errorf("the other tenant's devices show: %v", devices)
	}
	a.fails(a.do(a.call("GET", "list", "console", "AD-Service-Token", token)), 401, "header_invalid", "Invalid JWT signature in AD-Service-Token")
}

func TestJWKS(t *testing.T) {
	a := start(t, "")
	r := a.do(fronttest.Call{Method: "GET", Path: "/.well-known/acme/jwks.json"})
	// The media-token key alone: this realm's service tokens are HS256.
	keys, _ := r.JSON["keys"].([]any)
	if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "max-age=300" || len(keys) != 1 || keys[0].(map[string]any)["kty"] != "RSA" {
		t.Errorf("got %d %v %s", r.StatusCode, r.Header, r.Raw)
	}
	a.fails(a.do(fronttest.Call{Method: "GET", Path: "/.well-known/nobody/jwks.json"}), 404, "not_found", "")
}

// TestARevokedLinkCodeKey: codes that were made under it are nobody's, in the next
// request, and those of the key in its place are good.
func TestARevokedLinkCodeKey(t *testing.T) {
	a := start(t, "")
	token := a.mint("tv", "viewer")
	code := a.link("tv", token)
	for _, k := range a.node.Keys.List() {
		if k.Use == keys.LinkCode && k.Realm == "acme" {
			if err := a.node.Keys.Revoke(t.Context(), k.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.fails(a.do(a.call("POST", "serviceToken", "phone", "X-SSO-LINK", code)), 400, "token_invalid", "The provided token is invalid")
	again := a.link("tv", token)
	if r := a.do(a.call("POST", "serviceToken", "phone", "X-SSO-LINK", again)); r.StatusCode != http.StatusCreated {
		t.Errorf("a code of the new key: %d %s", r.StatusCode, r.Raw)
	}
}
