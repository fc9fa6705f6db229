package faultrun

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"ssod/cmd/internal/ssodtest"
	"ssod/httpfront/client"
)

// Errors of calls. A call that has no answer, or is answered 503, may have been
// carried out, may be carried out yet, or never.
var (
	errAnswer  = errors.New("unexpected answer")
	errUnknown = errors.New("outcome unknown")
	errRefused = errors.New("refused")
	errNobody  = errors.New("no node is ready")
)

// judge says what an error of a call means for whoever called. 503 means that
// the outcome is unknown; what the service refuses because of its state is
// errRefused.
func judge(err error) error {
	_, unanswered := errors.AsType[*client.UnansweredError](err)
	e, answered := errors.AsType[*client.Error](err)
	page, ordered := errors.AsType[*ssodtest.StatusError](err)
	_, broken := errors.AsType[*url.Error](err)
	switch {
	case err == nil:
		return nil
	case unanswered, broken, answered && e.Status == http.StatusServiceUnavailable, ordered && page.Status == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %w", errUnknown, err)
	case answered && e.Status == http.StatusBadRequest && e.Code == client.CodeTokenInvalid:
		return errRefused
	}
	return fmt.Errorf("%w: %w", errAnswer, err)
}

// patience is longer than a node works on a request.
const patience = 15 * time.Second

// api carries calls to nodes and repeats nothing, not even on a connection that was
// closed while it was idle: what a transport would hide is what the tests look for.
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

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(r.URL.String())
	request.Header.SetMethod(r.Method)
	for name, values := range r.Header {
		request.Header.Set(name, values[0])
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		request.SetBodyRaw(body)
	}
	if err := a.host(r.URL.Host).Do(request, response); err != nil {
		return nil, err
	}
	got := &http.Response{StatusCode: response.StatusCode(), Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(bytes.Clone(response.Body())))}
	for name, value := range response.Header.All() {
		got.Header.Add(string(name), string(value))
	}
	return got, nil
}

// order makes a call of the admin API that must succeed.
func (n *Node) order(method, path string, in, out any) error {
	return judge(n.Order(method, path, in, out))
}
