package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say whom a [Client] calls, and as whom.
type Options struct {
	// BaseURL is where the service is: https://sso.example.com.
	BaseURL string
	// ServiceProvider is the id of the service provider to call.
	ServiceProvider string
	// Credentials are those of [Client.Register]. Without them, and without
	// AccessToken, only Register and KeySet can be called.
	Credentials Credentials
	// AccessToken is used as it is, and never renewed, in the place of Credentials.
	AccessToken string

	// Header has headers of every call; those of a device go before them.
	Header http.Header
	// Transport makes the requests; nil means [http.DefaultTransport]. An
	// [http.Transport] repeats a GET by itself when a connection that was used before
	// breaks. Calls that must not be made twice have connections of their own, on which
	// it repeats nothing; a transport of another type must see to that itself.
	Transport http.RoundTripper
	// Attempts is how often the Client makes a call at most; 0 means 3.
	Attempts int
	// MaxWait is the longest pause before a repetition; 0 means 10 s. A service
	// that asks for more is not called again.
	MaxWait time.Duration
	// Timeout bounds each attempt; 0 means 20 s, which is longer than the service
	// works on a request.
	Timeout time.Duration
	// Interval is the time between two questions of the Await functions; 0 means
	// 5 s, as the OpenAPI document has it (x-polling-interval-seconds).
	Interval time.Duration
	// Now is the clock; nil means [time.Now].
	Now func() time.Time
	// Sleep waits, or returns early with the error of ctx; nil means by a timer.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Client is a registered application instance.
type Client struct {
	options Options
	web     http.Client
	fresh   http.Client // for what must not be made twice
	access  cache
}

// New makes a client; it calls nobody yet.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.BaseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("base URL: %w", err)
	case base.Scheme != "https" && base.Scheme != "http" || base.Host == "":
		return nil, errBaseURL
	}
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	o.Attempts = cmp.Or(o.Attempts, 3)
	o.MaxWait = cmp.Or(o.MaxWait, 10*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 20*time.Second)
	o.Interval = cmp.Or(o.Interval, 5*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Client{
		options: o,
		web:     http.Client{Transport: o.Transport, CheckRedirect: stay},
		fresh:   http.Client{Transport: unused(o.Transport), CheckRedirect: stay},
	}, nil
}

// unused is a transport that sends each request on a new connection, where
// [http.Transport] repeats none, not even a GET that logs out. A body that cannot be sent
// again would prevent it, too; but a GET with a body of unknown length may be sent with a
// transfer coding, by a busy client or by a proxy that translates from HTTP/2, and the
// service refuses that.
func unused(t http.RoundTripper) http.RoundTripper {
	if t == nil {
		t = http.DefaultTransport
	}
	used, ok := t.(*http.Transport)
	if !ok {
		return t
	}
	u := used.Clone()
	u.DisableKeepAlives = true
	return u
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// WithCredentials is a Client as this one is, of another registered instance.
func (c *Client) WithCredentials(k Credentials) *Client {
	o := c.options
	o.Credentials, o.AccessToken = k, ""
	return &Client{options: o, web: c.web, fresh: c.fresh}
}

var errBaseURL = errors.New("base URL: want http:// or https:// and a host")

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sso is a path of the SSO Service, v2 one of the entitlement API; their elements
// are escaped.
func (c *Client) sso(elements ...string) string { return c.path("/api/", elements) }
func (c *Client) v2(elements ...string) string  { return c.path("/api/v2/", elements) }

func (c *Client) path(prefix string, elements []string) string {
	path := prefix + url.PathEscape(c.options.ServiceProvider)
	for _, e := range elements {
		path += "/" + url.PathEscape(e)
	}
	return path
}
