package faultrun

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// Errors of calls. A call that has no answer, or is answered 503, may have been
// carried out, may be carried out yet, or never.
var (
	errAnswer   = errors.New("unexpected answer")
	errUnknown  = errors.New("outcome unknown")
	errRefused  = errors.New("refused")
	errNobody   = errors.New("no node is ready")
	errTooShort = errors.New("not a token")
)

// patience is longer than a node works on a request.
const patience = 15 * time.Second

// api calls nodes and repeats nothing: what a client library would hide is what
// the tests look for.
type api struct {
	mu    sync.Mutex
	hosts map[string]*fasthttp.HostClient
}

func newAPI() *api { return &api{hosts: map[string]*fasthttp.HostClient{}} }

func (a *api) host(address string) *fasthttp.HostClient {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.hosts[address]
	if h == nil {
		h = &fasthttp.HostClient{
			Addr: address, MaxConns: 8192, NoDefaultUserAgentHeader: true, DisablePathNormalizing: true,
			RetryIfErr:  func(*fasthttp.Request, int, error) (bool, bool) { return false, false },
			ReadTimeout: patience, MaxIdleConnDuration: 5 * time.Second,
		}
		a.hosts[address] = h
	}
	return h
}

// forget closes the connections to an address that are idle: this client does
// not notice when the other side has closed them.
func (a *api) forget(address string) { a.host(address).CloseIdleConnections() }

func (a *api) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, h := range a.hosts {
		h.CloseIdleConnections()
	}
}

// call is one request.
type call struct {
	method, path string
	headers      []string // names and values in turn
	body         []byte
}

// answer is what a node said.
type answer struct {
	status int
	body   []byte
}

// code is the machine code in an error.
func (a answer) code() string {
	var e struct {
		Error struct{ Code string }
	}
	_ = json.Unmarshal(a.body, &e)
	return e.Error.Code
}

// send makes a call at an address.
func (a *api) send(address string, c call) (answer, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI("http://" + address + c.path)
	request.Header.SetMethod(c.method)
	for i := 0; i < len(c.headers); i += 2 {
		request.Header.Set(c.headers[i], c.headers[i+1])
	}
	request.SetBodyRaw(c.body)
	if err := a.host(address).Do(request, response); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errUnknown, err)
	}
	return answer{response.StatusCode(), append([]byte(nil), response.Body()...)}, nil
}

// page gets a page of the admin listener.
func (a *api) page(address, path string) (answer, error) {
	return a.send(address, call{method: http.MethodGet, path: path})
}

// want reads an answer that must have the status. 503 means that the outcome is
// unknown; what the service refuses because of its state is errRefused.
func want(a answer, err error, status int, out any) error {
	switch {
	case err != nil:
		return err
	case a.status == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %d %s", errUnknown, a.status, a.body)
	case a.status == http.StatusBadRequest && a.code() == "token_invalid":
		return errRefused
	case a.status != status:
		return fmt.Errorf("%w: %d %s, want %d", errAnswer, a.status, a.body, status)
	case out == nil:
		return nil
	}
	return json.Unmarshal(a.body, out)
}

// device is one of a viewer's and the service token that it holds.
type device struct {
	id         string
	token      string
	membership int64
}

func newDevice(name string) *device {
	return &device{id: base64.StdEncoding.EncodeToString([]byte(name))}
}

// take keeps a service token.
func (d *device) take(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errTooShort
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	var claims struct {
		Membership int64 `json:"mbr"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	d.token, d.membership = token, claims.Membership
	return nil
}
