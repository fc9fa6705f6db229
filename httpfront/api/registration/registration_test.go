package registration

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFromStatementToCall(t *testing.T) {
	f := newFixture(t)
	statement := f.create(func(r *StatementRequest) { r.ServiceProviders = []string{"acme-tv", "acme-kids"} })
	client, err := f.Register(jsonRequest(map[string]any{"software_statement": statement.SoftwareStatement, "redirect_uri": "streamapp://com.example.stream"}))
	if err != nil {
		t.Fatal(err)
	}
	want := Registered{
		ClientID: client.ClientID, ClientSecret: client.ClientSecret, ClientIDIssuedAt: begin.Unix(),
		RedirectURIs: []string{"streamapp://com.example.stream"}, GrantTypes: []string{"client_credentials"}, Scopes: []string{"api:client:v2"},
		AuthMethod: "client_secret_basic",
	}
	if diff := cmp.Diff(want, client); diff != "" {
		t.Errorf("registration (-want +got):\n%s", diff)
	}
	issued, err := f.Token(tokenRequest(client))
	if err != nil {
		t.Fatal(err)
	}
	wantIssued := Issued{ID: issued.ID, AccessToken: issued.AccessToken, CreatedAt: begin.UnixMilli(), ExpiresIn: 21600, TokenType: "bearer"}
	if issued != wantIssued || len(issued.ID) != 36 {
		t.Errorf("token: got %+v", issued)
	}
	claims, err := f.ring.VerifyAccess([]byte(issued.AccessToken), begin)
	if err != nil || claims.Client != client.ClientID || claims.Scopes != "api:client:v2" {
		t.Fatalf("access token: %+v, %v", claims, err)
	}
	got, err := f.Judge(claims)
	if err != nil || got.ID != statement.ID {
		t.Fatalf("Judge: %v, %v", got, err)
	}
	for serviceProvider, want := range map[string]bool{"acme-tv": true, "acme-kids": true, "other": false, "": false, "ACME-TV": false} {
		if got.Covers(serviceProvider) != want {
			t.Errorf("Covers(%q) = %v", serviceProvider, !want)
		}
	}
}

// The names of the members are the contract's, and lists are never null.
func TestAnswersOnTheWire(t *testing.T) {
	f := newFixture(t)
	client := f.register(f.create().SoftwareStatement)
	text, _ := json.Marshal(client)
	want := fmt.Sprintf(`{"client_id":%q,"client_secret":%q,"client_id_issued_at":%d,"redirect_uris":[],"grant_types":["client_credentials"],"scopes":["api:client:v2"],"token_endpoint_auth_method":"client_secret_basic"}`,
		client.ClientID, client.ClientSecret, begin.Unix())
	if string(text) != want {
		t.Errorf("registration:\ngot  %s\nwant %s", text, want)
	}
	text, _ = json.Marshal(Issued{ID: "i", AccessToken: "a", CreatedAt: 1, ExpiresIn: 2, TokenType: "bearer"})
	if want := `{"id":"i","access_token":"a","created_at":1,"expires_in":2,"token_type":"bearer"}`; string(text) != want {
		t.Errorf("token:\ngot  %s\nwant %s", text, want)
	}
}

func TestRegisterRefuses(t *testing.T) {
	f := newFixture(t)
	good := f.create().SoftwareStatement
	bound := f.create(func(r *StatementRequest) { r.RedirectURIs = []string{"https://a.example/cb", "acme://cb"} }).SoftwareStatement
	revoked := f.create()
	f.revokeStatement(revoked.ID)
	unknown, err := f.ring.SignStatement([]byte(`{"jti":"aaaaaaaaaaaaaaaaaaaaaaaaaa"}`), begin)
	if err != nil {
		t.Fatal(err)
	}
	stranger := newFixture(t).create().SoftwareStatement
	body := func(text string) Request { return Request{ContentType: "application/json", Body: []byte(text)} }
	redirect := func(statement, uri string) Request {
		return jsonRequest(map[string]any{"software_statement": statement, "redirect_uri": uri})
	}
	parts := strings.Split(good, ".")
	tests := []struct {
		name string
		r    Request
		want error
	}{
		{"good", jsonRequest(map[string]any{"software_statement": good}), nil},
		{"plain content type", body(`{"software_statement":"` + good + `"}`), nil},
		{"unknown members", body(`{"software_statement":"` + good + `","client_name":"x"}`), nil},
		{"no content type", Request{Body: jsonRequest(map[string]any{"software_statement": good}).Body}, ErrInvalidRequest},
		{"form", Request{ContentType: "application/x-www-form-urlencoded", Body: []byte("software_statement=" + good)}, ErrInvalidRequest},
		{"another charset", Request{ContentType: "application/json; charset=utf-16", Body: []byte(`{}`)}, ErrInvalidRequest},
		{"no body", body(``), ErrInvalidRequest},
		{"empty object", body(`{}`), ErrInvalidRequest},
		{"null", body(`null`), ErrInvalidRequest},
		{"array", body(`[]`), ErrInvalidRequest},
		{"trailing data", body(`{"software_statement":"` + good + `"}{}`), ErrInvalidRequest},
		{"repeated", body(`{"software_statement":"` + good + `","software_statement":"` + good + `"}`), ErrInvalidRequest},
		{"name in other case", body(`{"Software_Statement":"` + good + `"}`), ErrInvalidRequest},
		{"statement empty", body(`{"software_statement":""}`), ErrInvalidRequest},
		{"statement null", body(`{"software_statement":null}`), ErrInvalidRequest},
		{"statement a number", body(`{"software_statement":1}`), ErrInvalidRequest},
		{"too deep", body(`{"software_statement":"` + good + `","x":[[[[[[[[1]]]]]]]]}`), ErrInvalidRequest},
		{"broken UTF-8", body("{\"software_statement\":\"" + good + "\",\"x\":\"\xff\"}"), ErrInvalidRequest},
		{"redirect URI a number", body(`{"software_statement":"` + good + `","redirect_uri":1}`), ErrInvalidRequest},

		{"not a JWT", jsonRequest(map[string]any{"software_statement": "not-a-jwt"}), ErrInvalidStatement},
		{"edited", jsonRequest(map[string]any{"software_statement": parts[0] + "." + parts[1][:len(parts[1])-4] + "AAAA." + parts[2]}), ErrInvalidStatement},
		{"without signature", jsonRequest(map[string]any{"software_statement": parts[0] + "." + parts[1] + "."}), ErrInvalidStatement},
		{"of another cluster", jsonRequest(map[string]any{"software_statement": stranger}), ErrInvalidStatement},
		{"over 8 KiB", jsonRequest(map[string]any{"software_statement": strings.Repeat("a", 9000)}), ErrInvalidStatement},
		{"revoked", jsonRequest(map[string]any{"software_statement": revoked.SoftwareStatement}), ErrUnapprovedStatement},
		{"unknown here", jsonRequest(map[string]any{"software_statement": unknown}), ErrUnapprovedStatement},

		{"custom scheme", redirect(good, "streamapp://com.example.stream"), nil},
		{"custom scheme without slashes", redirect(good, "com.example.app:/cb"), nil},
		{"https", redirect(good, "https://app.example/cb?x=1"), nil},
		{"http", redirect(good, "http://evil.example/x"), ErrInvalidRedirectURI},
		{"HTTP in capitals", redirect(good, "HTTP://evil.example/x"), ErrInvalidRedirectURI},
		{"script", redirect(good, "javascript:alert(1)"), ErrInvalidRedirectURI},
		{"data", redirect(good, "data:text/html,x"), ErrInvalidRedirectURI},
		{"relative", redirect(good, "/cb"), ErrInvalidRedirectURI},
		{"empty", redirect(good, ""), ErrInvalidRedirectURI},
		{"https without host", redirect(good, "https:///x"), ErrInvalidRedirectURI},
		{"fragment", redirect(good, "https://app.example/#x"), ErrInvalidRedirectURI},
		{"empty fragment", redirect(good, "https://app.example/#"), ErrInvalidRedirectURI},
		{"credentials", redirect(good, "https://a:b@app.example/"), ErrInvalidRedirectURI},
		{"backslash", redirect(good, `https://app.example\@evil.example`), ErrInvalidRedirectURI},
		{"line end", redirect(good, "https://app.example/\r\nx"), ErrInvalidRedirectURI},
		{"long", redirect(good, "https://app.example/"+strings.Repeat("x", 3000)), ErrInvalidRedirectURI},
		{"listed", redirect(bound, "acme://cb"), nil},
		{"not listed", redirect(bound, "acme://cb2"), ErrInvalidRedirectURI},
		{"listed, with more", redirect(bound, "https://a.example/cb/x"), ErrInvalidRedirectURI},
		{"none where some are listed", jsonRequest(map[string]any{"software_statement": bound}), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := f.Register(tt.r); !errors.Is(err, tt.want) || (err == nil) != (got.ClientID != "") {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestTokenRefuses(t *testing.T) {
	f := newFixture(t)
	statement := f.create()
	client := f.register(statement.SoftwareStatement)
	other := f.register(statement.SoftwareStatement)
	device := f.register(f.create(func(r *StatementRequest) { r.GrantTypes = []string{"urn:ietf:params:oauth:grant-type:device_code"} }).SoftwareStatement)
	revoked := f.create()
	orphan := f.register(revoked.SoftwareStatement)
	f.revokeStatement(revoked.ID)
	single := f.register(statement.SoftwareStatement)
	if err := f.RevokeClient(t.Context(), single.ClientID); err != nil {
		t.Fatal(err)
	}
	form := func(id, secret, grant string) Request {
		return formRequest("client_id=" + url.QueryEscape(id) + "&client_secret=" + url.QueryEscape(secret) + "&grant_type=" + url.QueryEscape(grant))
	}
	id, secret, grant := client.ClientID, client.ClientSecret, "client_credentials"
	good := string(form(id, secret, grant).Body)
	with := func(edit func(*Request)) Request {
		r := form(id, secret, grant)
		edit(&r)
		return r
	}
	tests := []struct {
		name string
		r    Request
		want error
	}{
		{"good", form(id, secret, grant), nil},
		{"charset", with(func(r *Request) { r.ContentType += "; charset=UTF-8" }), nil},
		{"unknown parameter", formRequest(good + "&scope=x"), nil},
		{"no content type", with(func(r *Request) { r.ContentType = "" }), ErrInvalidRequest},
		{"JSON", with(func(r *Request) { r.ContentType = "application/json" }), ErrInvalidRequest},
		{"a second authentication", with(func(r *Request) { r.Authorization = basic(id, secret) }), ErrInvalidRequest},
		{"nothing", formRequest(""), ErrInvalidRequest},
		{"no id", form("", secret, grant), ErrInvalidRequest},
		{"no secret", form(id, "", grant), ErrInvalidRequest},
		{"no grant type", form(id, secret, ""), ErrInvalidRequest},
		{"repeated", formRequest(good + "&grant_type=client_credentials"), ErrInvalidRequest},
		{"repeated in another spelling", formRequest(good + "&grant%5Ftype=client_credentials"), ErrInvalidRequest},
		{"repeated, unknown", formRequest(good + "&x=1&x=1"), ErrInvalidRequest},
		{"bad escape", formRequest(good + "&x=%zz"), ErrInvalidRequest},
		{"broken UTF-8", formRequest(good + "&x=%ff"), ErrInvalidRequest},
		{"many parameters", formRequest(good + strings.Repeat("&", 10) + many(40)), ErrInvalidRequest},
		{"unknown grant", form(id, secret, "password"), ErrUnsupportedGrantType},
		{"grant before client", form("x", "y", "password"), ErrUnsupportedGrantType},
		{"missing before grant", form("", "y", "password"), ErrInvalidRequest},
		{"wrong secret", form(id, "wrong", grant), ErrInvalidClient},
		{"another client's secret", form(id, other.ClientSecret, grant), ErrInvalidClient},
		{"secret and more", form(id, secret+"A", grant), ErrInvalidClient},
		{"unknown client", form("nobody", secret, grant), ErrInvalidClient},
		{"edited id", form(id[:len(id)-1]+"7", secret, grant), ErrInvalidClient},
		{"id of another statement", form(device.ClientID[:26]+id[26:], secret, grant), ErrInvalidClient},
		{"id of another version", form(strings.Replace(id, ".", ".x", 1), secret, grant), ErrInvalidClient},
		{"revoked statement", form(orphan.ClientID, orphan.ClientSecret, grant), ErrInvalidClient},
		{"revoked client", form(single.ClientID, single.ClientSecret, grant), ErrInvalidClient},
		{"grant not allowed", form(device.ClientID, device.ClientSecret, grant), ErrUnauthorizedClient},
		{"client before grant allowed", form(device.ClientID, "wrong", grant), ErrInvalidClient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := f.Token(tt.r); !errors.Is(err, tt.want) || (err == nil) != (got.AccessToken != "") {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "&p%d=1", i)
	}
	return b.String()
}

func TestJudgeDoesNotAllocate(t *testing.T) {
	f := newFixture(t)
	access := f.access(f.register(f.create().SoftwareStatement))
	if n := testing.AllocsPerRun(100, func() {
		if s, err := f.Judge(access); err != nil || !s.Covers("acme-tv") {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per call", n)
	}
}

// Statements come and go while calls are judged; nobody else's call suffers.
func TestChangesUnderLoad(t *testing.T) {
	f := newFixture(t)
	access := f.access(f.register(f.create().SoftwareStatement))
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := f.Judge(access); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		statement := f.create()
		client := f.access(f.register(statement.SoftwareStatement))
		f.revokeStatement(statement.ID)
		if _, err := f.Judge(client); !errors.Is(err, ErrRevoked) {
			t.Errorf("after the revocation was answered: got %v, want ErrRevoked", err)
		}
	}
	close(stop)
	callers.Wait()
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{"a=1&b=2", "a=1&%61=2", "a", "=", "a=%", "a=%ff", "&&&", "a=b=c", "a+b=c+d", "client_id=x;client_secret=y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := formRequest(body)
		got, err := r.form()
		if err != nil {
			return
		}
		want, err := url.ParseQuery(body)
		for name, values := range want {
			if len(values) != 1 || got[name] != values[0] {
				t.Fatalf("%q: got %q = %q, net/url reads %q", body, name, got[name], values)
			}
		}
		if err == nil && len(got) != len(want) {
			t.Fatalf("%q: got %v, net/url reads %v", body, got, want)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	f := newFixture(b)
	access := f.access(f.register(f.create().SoftwareStatement))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Judge(access); err != nil {
			b.Fatal(err)
		}
	}
}
