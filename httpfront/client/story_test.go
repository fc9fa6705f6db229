package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ssod/httpfront/api/registration"
	"ssod/httpfront/client"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/fronttest/openapitest"
	"ssod/httpfront/token/media/verifier"
)

const realms = `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: STREAM1, domains: [stream.example]}]
    mvpds: [{id: cable, kind: sandbox}]
`

const home = "https://stream.example/in"

// newClient registers an application instance at a node.
func newClient(t *testing.T, n *fronttest.Node) *client.Client {
	t.Helper()
	s, err := n.Registration.CreateStatement(t.Context(), registration.StatementRequest{ClientName: "test", ServiceProviders: []string{"STREAM1"}})
	must(t, err)
	c := n.Client(t, "STREAM1")
	r, err := c.Register(t.Context(), s.SoftwareStatement, "")
	must(t, err)
	return c.WithCredentials(r.Credentials)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestStory plays what apps do at a real node: link a TV by a code, log in on the
// phone, watch on the TV, remove the TV, log out.
func TestStory(t *testing.T) {
	n := fronttest.Start(t, fronttest.Options{Config: realms})
	c, ctx := newClient(t, n), t.Context()
	phone := c.Device(client.DeviceOptions{ID: "phone-1", Info: client.Info{PrimaryHardwareType: "MobilePhone", Model: "Pocket"}})
	tv := c.Device(client.DeviceOptions{ID: "tv-1", UserAgent: "Mozilla/5.0 (Web0S; Linux/SmartTV)"})

	_, err := phone.List(ctx)
	if !errors.Is(err, client.ErrNoServiceToken) {
		t.Errorf("list without a token: %v", err)
	}
	_, err = phone.Mint(ctx, "viewer-4711")
	must(t, err)
	code, err := phone.LinkWithQR(ctx)
	must(t, err)
	if !strings.HasPrefix(code.QR, "<svg ") {
		t.Errorf("the code's picture is %.20q", code.QR)
	}
	state, err := phone.ReadLink(ctx, code.Code)
	if err != nil || state.Status != client.LinkOpen || state.Device != nil {
		t.Errorf("a fresh code: %+v, %v", state, err)
	}
	_, err = tv.AwaitRedeem(ctx, code.Code)
	must(t, err)
	state, err = phone.AwaitLink(ctx, code, client.LinkOpen)
	if err != nil || state.Status != client.LinkRedeemed || state.Device == nil || state.Device.DeviceType != "smartTV" || state.Device.Network != "same" {
		t.Errorf("a code that was redeemed: %+v, %v", state, err)
	}

	session := logIn(t, n, phone)
	profile, err := phone.AwaitProfile(ctx, session)
	if err != nil || profile.Type != "regular" || string(profile.Attributes["userID"].Value) == "" {
		t.Errorf("the phone's login: %+v, %v", profile, err)
	}
	found, err := tv.Profiles(ctx)
	if err != nil || found["cable"].Type != "serviceTokenSSO" || !found["cable"].NotAfter.Equal(profile.NotAfter.Time) {
		t.Errorf("the TV's login: %+v, %v", found, err)
	}
	decisions, err := tv.Authorize(ctx, "cable", "channel-1")
	if err != nil || len(decisions) != 1 || !decisions[0].Authorized || decisions[0].Token == nil {
		t.Fatalf("decided %+v, %v", decisions, err)
	}
	keys, err := c.KeySet(ctx, "acme")
	must(t, err)
	v, err := verifier.New(keys)
	must(t, err)
	if _, result := v.Verify(decisions[0].Token.Serialized, "channel-1"); result != verifier.Valid {
		t.Errorf("the media token: %v", result)
	}

	members, err := phone.List(ctx)
	if err != nil || len(members) != 2 || members[tv.ID()].Type != "sso" || members[phone.ID()].Model != "Pocket" {
		t.Errorf("members: %+v, %v", members, err)
	}
	gone, err := phone.Unlink(ctx, tv.ID(), "nobody")
	if err != nil || !slices.Equal(gone, []string{tv.ID()}) {
		t.Errorf("removed %q, %v", gone, err)
	}
	_, err = tv.Refresh(ctx)
	e, _ := errors.AsType[*client.Error](err)
	if e == nil || e.Code != client.CodeTokenInvalid || e.Action != "get_new_token" || e.Trace == "" || e.AccessToken {
		t.Errorf("a device that was removed: %+v", err)
	}
	decisions, err = tv.Authorize(ctx, "cable", "channel-1")
	if err != nil || decisions[0].Authorized || !errors.Is(decisions[0].Error, &client.Error{Code: client.CodeProfileMissing}) {
		t.Errorf("a device that was removed watches: %+v, %v", decisions, err)
	}
	out, err := phone.Logout(ctx, "cable", home)
	if err != nil || out.Action != client.ActionLogout || !strings.HasPrefix(out.URL, "http://") {
		t.Errorf("log out: %+v, %v", out, err)
	}
}

// logIn begins a session and plays the browser.
func logIn(t *testing.T, n *fronttest.Node, d *client.Device) client.Session {
	t.Helper()
	s, err := d.CreateSession(t.Context(), client.SessionParameters{MVPD: "cable", DomainName: "stream.example", RedirectURL: home})
	must(t, err)
	if s.Action != client.ActionAuthenticate {
		t.Fatalf("the next action is %q", s.Action)
	}
	jar, err := cookiejar.New(nil)
	must(t, err)
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, n.Address().String()) // whatever the node's public address is
	}}
	browser := http.Client{Jar: jar, Transport: transport, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "stream.example" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := browser.Get(s.URL)
	must(t, err)
	page.Body.Close()
	end, err := browser.PostForm(page.Request.URL.String(), url.Values{"viewer": {"ada"}})
	must(t, err)
	end.Body.Close()
	if at := end.Header.Get("Location"); at != home {
		t.Fatalf("the browser ended at %s %s", end.Status, at)
	}
	return s
}

// TestTokensAreRenewed: neither the app nor its devices notice that tokens expire.
func TestTokensAreRenewed(t *testing.T) {
	n := fronttest.Start(t, fronttest.Options{Config: realms})
	c, ctx := newClient(t, n), t.Context()
	d := c.Device(client.DeviceOptions{ID: "tv"})
	first, err := d.Mint(ctx, "viewer")
	must(t, err)
	for range 10 {
		n.Sleep(first.NotAfter.Sub(first.NotBefore.Time) - 1)
		_, err := d.List(ctx)
		must(t, err)
	}
	if d.Token().Token == first.Token {
		t.Error("the token is still the first one")
	}
	again := c.Device(client.DeviceOptions{ID: "tv"}) // the app was started again
	again.Restore(first)
	_, err = again.List(ctx)
	must(t, err)
}

// TestEveryOperation makes every call that the OpenAPI document has for apps, with
// the id that it has there. The length of each body is known from the beginning: a
// proxy that translates from HTTP/2 would send another one as chunked, and the service
// refuses that on a GET.
func TestEveryOperation(t *testing.T) {
	var asked []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, openapitest.OperationID(r))
		if r.ProtoMajor != 2 || r.ContentLength < 0 {
			t.Errorf("%s: %s, a body of %d bytes", openapitest.OperationID(r), r.Proto, r.ContentLength)
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	transport := server.Client().Transport
	c, err := client.New(client.Options{BaseURL: server.URL, ServiceProvider: "STREAM1", AccessToken: "a", Transport: transport})
	must(t, err)
	k, err := client.New(client.Options{BaseURL: server.URL, Credentials: client.Credentials{ClientID: "id"}, Transport: transport})
	must(t, err)
	d, ctx, p := c.Device(client.DeviceOptions{ID: "tv"}), t.Context(), client.SessionParameters{}
	d.Restore(client.ServiceToken{Token: "s"})
	for _, do := range []func() error{
		func() error { _, err := c.Register(ctx, "s", ""); return err },
		func() error { _, err := k.FetchAccessToken(ctx); return err },
		func() error { _, err := c.KeySet(ctx, "acme"); return err },
		func() error { _, err := d.Mint(ctx, "viewer"); return err },
		func() error { _, err := d.Refresh(ctx); return err },
		func() error { _, err := d.Link(ctx); return err },
		func() error { _, err := d.ReadLink(ctx, "228128"); return err },
		func() error { _, err := d.ConfirmLink(ctx, "228128", true); return err },
		func() error { _, err := d.List(ctx); return err },
		func() error { _, err := d.Unlink(ctx, "tv"); return err },
		func() error { _, err := d.Configuration(ctx); return err },
		func() error { _, err := d.CreateSession(ctx, p); return err },
		func() error { _, err := d.CreatePartnerSession(ctx, "Apple", p); return err },
		func() error { _, err := c.ReadSession(ctx, "8ER64HM"); return err },
		func() error { _, err := c.ResumeSession(ctx, "8ER64HM", p); return err },
		func() error { _, err := d.Profiles(ctx); return err },
		func() error { _, err := d.ProfileByMVPD(ctx, "cable"); return err },
		func() error { _, err := d.ProfileByCode(ctx, "8ER64HM"); return err },
		func() error { _, err := d.PartnerProfile(ctx, "Apple", "PHNhbWw+"); return err },
		func() error { _, err := d.Authorize(ctx, "cable", "channel-1"); return err },
		func() error { _, err := d.Preauthorize(ctx, "cable", "channel-1"); return err },
		func() error { _, err := d.Logout(ctx, "cable", home); return err },
	} {
		e, ok := errors.AsType[*client.Error](do())
		if last := asked[len(asked)-1]; !ok || e.Operation != last {
			t.Errorf("asked for %s, the error is %+v", last, e)
		}
	}
	want := map[string]bool{"readKeySet": true}
	doc, err := openapitest.Document()
	must(t, err)
	for _, item := range doc.Paths.Map() {
		for _, o := range item.Operations() {
			if seconds, ok := o.Extensions["x-polling-interval-seconds"]; ok && fmt.Sprint(seconds) != "5" {
				t.Errorf("%s is to be polled every %v s, the client does every 5", o.OperationID, seconds)
			}
			if slices.ContainsFunc(o.Tags, func(tag string) bool { return tag == "SSO Service" || tag == "Registration" || tag == "Entitlement" }) {
				want[o.OperationID] = true
			}
		}
	}
	slices.Sort(asked)
	if want := slices.Sorted(maps.Keys(want)); !slices.Equal(slices.Compact(asked), want) {
		t.Errorf("asked for %q, the document has %q", asked, want)
	}
}

// A logout whose connection breaks is not made twice by the transport, as it does
// with a GET on a connection that it has used before.
func TestTheTransportRepeatsNothing(t *testing.T) {
	var made atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/logout/") {
			made.Add(1)
			panic(http.ErrAbortHandler) // ends the connection
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(client.Options{BaseURL: server.URL, ServiceProvider: "STREAM1", AccessToken: "a"})
	must(t, err)
	d := c.Device(client.DeviceOptions{ID: "tv"})
	_, err = d.Profiles(t.Context()) // a connection that is used
	must(t, err)
	if _, err := d.Logout(t.Context(), "cable", ""); !client.Unknown(err) || made.Load() != 1 {
		t.Errorf("made %d times: %v", made.Load(), err)
	}
}
