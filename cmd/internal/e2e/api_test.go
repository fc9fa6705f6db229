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
	"net/url"
	"testing"

	"ssod/cmd/internal/e2e/examples"
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
	request, response, body, err := roundTrip(ctx, n.client, "http://"+n.at().http, c)
	if err != nil {
		return examples.Answer{}, err
	}
	if n.sampled.picks(response.StatusCode) {
		if err := openapitest.Validate(request, c.body, response, body); err != nil {
			n.Errorf("%s %s was answered %s: %v", c.method, c.target, response.Status, err)
		}
	}
	return examples.Answer{Status: response.StatusCode, Headers: response.Header, Body: body}, nil
}

// exchange sends a call to an address that the OpenAPI document does not
// describe.
func exchange(ctx context.Context, client *http.Client, base string, c call) (examples.Answer, error) {
	_, response, body, err := roundTrip(ctx, client, base, c)
	if err != nil {
		return examples.Answer{}, err
	}
	return examples.Answer{Status: response.StatusCode, Headers: response.Header, Body: body}, nil
}

func roundTrip(ctx context.Context, client *http.Client, base string, c call) (*http.Request, *http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, c.method, base+c.target, bytes.NewReader(c.body))
	if err != nil {
		return nil, nil, nil, err
	}
	request.Header.Set("User-Agent", "") // none, unless the call has one
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return request, response, body, err
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

// code is the machine code in the answer, empty when there is none.
func (e *statusError) code() string {
	code, err := examples.Field(e.got.Body, "$.error.code")
	if err != nil {
		return ""
	}
	return code
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
func (n *node) newStatement(ctx context.Context, r statementRequest) (signed, id string, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return "", "", err
	}
	a, err := exchange(ctx, n.client, "http://"+n.at().admin, call{
		method: "POST", target: "/admin/v1/software-statements",
		headers: map[string]string{"Content-Type": "application/json"}, body: body,
	})
	var out struct {
		SoftwareStatement string `json:"softwareStatement"`
		ID                string `json:"id"`
	}
	err = want(a, err, http.StatusCreated, &out)
	return out.SoftwareStatement, out.ID, err
}

// remove calls DELETE on a path of the admin API and wants success.
func (n *node) remove(ctx context.Context, path string) error { return n.order(ctx, "DELETE", path) }

// order makes a call of the admin API that must succeed.
func (n *node) order(ctx context.Context, method, path string) error {
	a, err := exchange(ctx, n.client, "http://"+n.at().admin, call{method: method, target: path})
	if err == nil && a.Status/100 != 2 {
		err = fmt.Errorf("%w: %s %s: %d %s", errStatus, method, path, a.Status, a.Body)
	}
	return err
}

// register gets client credentials for a software statement.
func (n *node) register(ctx context.Context, signed string) (id, secret string, err error) {
	body, err := json.Marshal(map[string]string{"software_statement": signed})
	if err != nil {
		return "", "", err
	}
	a, err := n.do(ctx, call{
		method: "POST", target: "/o/client/register",
		headers: map[string]string{"Content-Type": "application/json"}, body: body,
	})
	var out struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err = want(a, err, http.StatusCreated, &out)
	return out.ID, out.Secret, err
}

// grant gets an access token for client credentials.
func (n *node) grant(ctx context.Context, id, secret string) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	a, err := n.do(ctx, call{
		method: "POST", target: "/o/client/token",
		headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: []byte(form.Encode()),
	})
	var out struct {
		AccessToken string `json:"access_token"`
	}
	err = want(a, err, http.StatusCreated, &out)
	return out.AccessToken, err
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

// mint takes a service token for the device by an X-SSO-ID.
func (a *app) mint(ctx context.Context, d *device, ssoID string) error {
	return a.take(ctx, d, "X-SSO-ID", ssoID)
}

// redeem takes a service token for the device by a link code.
func (a *app) redeem(ctx context.Context, d *device, code string) error {
	return a.take(ctx, d, "X-SSO-LINK", code)
}

func (a *app) take(ctx context.Context, d *device, header, value string) error {
	answer, err := a.send(ctx, "POST", "serviceToken", d, nil, header, value)
	var out struct {
		ServiceToken string `json:"serviceToken"`
	}
	if err = want(answer, err, http.StatusCreated, &out); err == nil {
		d.token = out.ServiceToken
	}
	return err
}

// refresh replaces the device's token.
func (a *app) refresh(ctx context.Context, d *device) error {
	answer, err := a.send(ctx, "GET", "serviceToken", d, nil)
	var out struct {
		ServiceToken string `json:"serviceToken"`
	}
	if err = want(answer, err, http.StatusOK, &out); err == nil {
		d.token = out.ServiceToken
	}
	return err
}

// link makes a code on the device.
func (a *app) link(ctx context.Context, d *device) (string, error) {
	answer, err := a.send(ctx, "POST", "link", d, nil)
	var out struct {
		Code string `json:"code"`
	}
	return out.Code, want(answer, err, http.StatusCreated, &out)
}

// linkState is what the device that made a link code is told of it.
type linkState struct {
	Status string
	Device struct{ Type, Network string }
}

// readLink asks what became of a link code that d made.
func (a *app) readLink(ctx context.Context, d *device, code string) (s linkState, err error) {
	answer, err := a.send(ctx, "GET", "link/"+code, d, nil)
	return s, want(answer, err, http.StatusOK, &s)
}

// confirmLink lets the device that waits with a link code of d's join, or ends
// the code.
func (a *app) confirmLink(ctx context.Context, d *device, code string, join bool) (s linkState, err error) {
	answer, err := a.send(ctx, "POST", "link/"+code, d, fmt.Appendf(nil, `{"confirm":%v}`, join))
	return s, want(answer, err, http.StatusOK, &s)
}

// waits redeems a link code that is to be confirmed.
func (a *app) waits(ctx context.Context, d *device, code string) error {
	answer, err := a.send(ctx, "POST", "serviceToken", d, nil, "X-SSO-LINK", code)
	return failsWith(answer, err, http.StatusForbidden, "link_confirmation_pending")
}

// list returns the ids of the devices that d sees.
func (a *app) list(ctx context.Context, d *device) (map[string]json.RawMessage, error) {
	answer, err := a.send(ctx, "GET", "list", d, nil)
	var out struct {
		Devices map[string]json.RawMessage `json:"devices"`
	}
	err = want(answer, err, http.StatusOK, &out)
	return out.Devices, err
}

// unlink lets d remove other devices; it returns those that were removed.
func (a *app) unlink(ctx context.Context, d *device, ids ...string) ([]string, error) {
	body, err := json.Marshal(map[string][]string{"devices": ids})
	if err != nil {
		return nil, err
	}
	answer, err := a.send(ctx, "POST", "unlink", d, body)
	var out struct {
		UnlinkedDevices []string `json:"unlinkedDevices"`
	}
	err = want(answer, err, http.StatusOK, &out)
	return out.UnlinkedDevices, err
}

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
