package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"testing"
	"time"

	"ssod/cmd/internal/e2e/examples"
	"ssod/cmd/internal/ssodtest"
	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/openapitest"
)

// call is one request to the public API.
type call struct {
	method, target string // target is path and query
	headers        map[string]string
	body           []byte
}

// do sends a call and returns the answer. An error means that the answer is
// unknown: the connection broke. Both must be as the OpenAPI document says.
func (n *node) do(ctx context.Context, c call) (examples.Answer, error) {
	return exchange(ctx, &http.Client{Transport: n.documented(), CheckRedirect: n.client.CheckRedirect, Timeout: n.client.Timeout}, "http://node", c)
}

// documented is a transport to the node that the next call goes to, for calls that are
// as the OpenAPI document says.
func (n *node) documented() http.RoundTripper {
	return openapitest.Transport{TB: n, Behind: toFront{n}, Picks: func(r *http.Response) bool { return n.sampled.picks(r.StatusCode) }}
}

// toFront carries a call to the node that it is for.
type toFront struct{ *node }

// RoundTrip implements http.RoundTripper.
func (f toFront) RoundTrip(r *http.Request) (*http.Response, error) {
	r.URL.Host = f.at().HTTP
	r.Host = r.URL.Host
	return f.client.Transport.RoundTrip(r)
}

// exchange sends a call to an address that the OpenAPI document does not
// describe.
func exchange(ctx context.Context, web *http.Client, base string, c call) (examples.Answer, error) {
	request, err := http.NewRequestWithContext(ctx, c.method, base+c.target, bytes.NewReader(c.body))
	if err != nil {
		return examples.Answer{}, err
	}
	request.Header.Set("User-Agent", "") // none, unless the call has one
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
	response, err := web.Do(request)
	if err != nil {
		return examples.Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return examples.Answer{Status: response.StatusCode, Headers: response.Header, Body: body}, err
}

// errStatus says that a call was answered, but not with what the caller needs.
var errStatus = errors.New("unexpected answer")

// statusError is an [errStatus] with the answer.
type statusError struct {
	got  examples.Answer
	want int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%v: %d %s, want %d", errStatus, e.got.Status, e.got.Body, e.want)
}

func (e *statusError) Unwrap() error { return errStatus }

// said tells an answer of the service from no answer.
func said(err error) error {
	if _, ok := errors.AsType[*client.Error](err); ok {
		return fmt.Errorf("%w: %w", errStatus, err)
	}
	return err
}

// refusal is the status and the code that a call was answered with; 0: it was not.
func refusal(err error) (status int, code string) {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.Status, e.Code
	}
	if e, ok := errors.AsType[*statusError](err); ok {
		code, _ = examples.Field(e.got.Body, "$.error.code")
		return e.got.Status, code
	}
	return 0, ""
}

// want reads fields of an answer that must have the status.
func want(a examples.Answer, err error, status int, out any) error {
	if err != nil {
		return err
	}
	if a.Status != status {
		return &statusError{a, status}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.Body, out)
}

// app is a registered client of one service provider.
type app struct {
	*node
	provider  string
	statement string // id, to revoke it
	signed    string // the software statement itself
	id        string
	secret    string
	token     string // access token
}

// statementRequest is what an operator asks the admin API for.
type statementRequest struct {
	ClientName       string   `json:"clientName"`
	ServiceProviders []string `json:"serviceProviders"`
	RedirectURIs     []string `json:"redirectUris,omitempty"`
	GrantTypes       []string `json:"grantTypes,omitempty"`
}

// newStatement gets a software statement from the admin API.
func (n *node) newStatement(_ context.Context, r statementRequest) (signed, id string, err error) {
	var out struct{ SoftwareStatement, ID string }
	err = n.at().Order(http.MethodPost, "/admin/v1/software-statements", r, &out)
	return out.SoftwareStatement, out.ID, ordered(err)
}

// remove calls DELETE on a path of the admin API and wants success.
func (n *node) remove(ctx context.Context, path string) error { return n.order(ctx, "DELETE", path) }

// order makes a call of the admin API that must succeed.
func (n *node) order(_ context.Context, method, path string) error {
	return ordered(n.at().Order(method, path, nil, nil))
}

// ordered is said of the admin API.
func ordered(err error) error {
	if _, ok := errors.AsType[*ssodtest.StatusError](err); ok {
		return fmt.Errorf("%w: %w", errStatus, err)
	}
	return err
}

// api calls the public API of the node, or of any of the cluster, and repeats nothing.
func (n *node) api(provider, token string) *client.Client {
	n.Helper()
	c, err := client.New(client.Options{
		BaseURL: "http://node", ServiceProvider: provider, AccessToken: token, Transport: n.documented(), Attempts: 1, Timeout: time.Minute,
	})
	must(n, err)
	return c
}

// register gets client credentials for a software statement.
func (n *node) register(ctx context.Context, signed string) (id, secret string, err error) {
	r, err := n.api("", "").Register(ctx, signed, "")
	return r.ClientID, r.ClientSecret, said(err)
}

// grant gets an access token for client credentials.
func (n *node) grant(ctx context.Context, id, secret string) (string, error) {
	t, err := n.api("", "").WithCredentials(client.Credentials{ClientID: id, ClientSecret: secret}).FetchAccessToken(ctx)
	return t.Token, said(err)
}

// newApp goes the whole way from statement to access token. The first of the
// service providers is the one that the app calls.
func (n *node) newApp(ctx context.Context, providers ...string) (*app, error) {
	a := &app{node: n, provider: providers[0]}
	var err error
	if a.signed, a.statement, err = n.newStatement(ctx, statementRequest{ClientName: "e2e", ServiceProviders: providers}); err != nil {
		return nil, err
	}
	if a.id, a.secret, err = n.register(ctx, a.signed); err != nil {
		return nil, err
	}
	a.token, err = n.grant(ctx, a.id, a.secret)
	return a, err
}

// mustApp is newApp in a test that cannot go on without it.
func (n *node) mustApp(providers ...string) *app {
	n.Helper()
	a, err := n.newApp(n.Context(), providers...)
	if err != nil {
		n.Fatal(err)
	}
	return a
}

// device is an app's device and the service token it holds.
type device struct {
	id    string // as in AP-Device-Identifier, without the type
	info  string // X-Device-Info, may be empty
	token string
	// platform is what the device's platform says of its viewer; may be empty.
	platform string
	// address is where the device calls from, as a proxy says; may be empty.
	address string
}

// away is an address in a network of its own.
const away = "203.0.113.9"

// homeOf is the address of a network that nobody but the people of this name
// are in.
func homeOf(name string) string {
	sum := fnv.New32a()
	sum.Write([]byte(name))
	n := sum.Sum32()
	return fmt.Sprintf("10.%d.%d.%d", byte(n>>16), byte(n>>8), byte(n))
}

// newDevice names a device by a text.
func newDevice(name string) *device {
	return &device{id: base64.StdEncoding.EncodeToString([]byte(name))}
}

// headers are those of a call of d; more are pairs of names and values.
func (a *app) headers(d *device, more ...string) map[string]string {
	h := map[string]string{"Authorization": "Bearer " + a.token, "AP-Device-Identifier": "fingerprint " + d.id}
	for i := 0; i < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	if d.info != "" {
		h["X-Device-Info"] = d.info
	}
	if d.address != "" {
		h["X-Forwarded-For"] = d.address
	}
	return h
}

func (a *app) path(operation string) string { return "/api/" + a.provider + "/" + operation }

// send performs one operation of the API for d.
func (a *app) send(ctx context.Context, method, operation string, d *device, body []byte, more ...string) (examples.Answer, error) {
	if d.token != "" && more == nil {
		more = []string{"AD-Service-Token", d.token}
	}
	h := a.headers(d, more...)
	if body != nil {
		h["Content-Type"] = "application/json"
	}
	return a.do(ctx, call{method: method, target: a.path(operation), headers: h, body: body})
}

// on is the app on a device, with the token that this holds.
func (a *app) on(d *device) *client.Device {
	a.Helper()
	name, err := base64.StdEncoding.DecodeString(d.id)
	must(a, err)
	o := client.DeviceOptions{ID: string(name), Address: d.address, Header: http.Header{"User-Agent": {""}}}
	if d.info != "" {
		o.Header.Set("X-Device-Info", d.info)
	}
	c := a.api(a.provider, a.token).Device(o)
	c.Restore(client.ServiceToken{Token: d.token})
	return c
}

// keep takes a service token.
func (d *device) keep(t client.ServiceToken, err error) error {
	if err == nil {
		d.token = t.Token
	}
	return said(err)
}

// mint takes a service token for the device by an X-SSO-ID.
func (a *app) mint(ctx context.Context, d *device, ssoID string) error {
	return d.keep(a.on(d).Mint(ctx, ssoID))
}

// redeem takes a service token for the device by a link code.
func (a *app) redeem(ctx context.Context, d *device, code string) error {
	return d.keep(a.on(d).Redeem(ctx, code))
}

// refresh replaces the device's token.
func (a *app) refresh(ctx context.Context, d *device) error { return d.keep(a.on(d).Refresh(ctx)) }

// link makes a code on the device.
func (a *app) link(ctx context.Context, d *device) (string, error) {
	code, err := a.on(d).Link(ctx)
	return code.Code, said(err)
}

// readLink asks what became of a link code that d made.
func (a *app) readLink(ctx context.Context, d *device, code string) (client.LinkState, error) {
	s, err := a.on(d).ReadLink(ctx, code)
	return s, said(err)
}

// confirmLink lets the device that waits with a link code of d's join, or ends
// the code.
func (a *app) confirmLink(ctx context.Context, d *device, code string, join bool) (client.LinkState, error) {
	s, err := a.on(d).ConfirmLink(ctx, code, join)
	return s, said(err)
}

// waits redeems a link code that is to be confirmed.
func (a *app) waits(ctx context.Context, d *device, code string) error {
	answer, err := a.send(ctx, "POST", "serviceToken", d, nil, "X-SSO-LINK", code)
	return failsWith(answer, err, http.StatusForbidden, "link_confirmation_pending")
}

// list returns the devices that d sees, by their ids.
func (a *app) list(ctx context.Context, d *device) (map[string]client.Member, error) {
	members, err := a.on(d).List(ctx)
	return members, said(err)
}

// unlink lets d remove other devices; it returns those that were removed.
func (a *app) unlink(ctx context.Context, d *device, ids ...string) ([]string, error) {
	removed, err := a.on(d).Unlink(ctx, ids...)
	return removed, said(err)
}

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
