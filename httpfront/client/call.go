package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one call of the API in the making.
type call struct {
	operation, method, path string
	query                   url.Values
	headers                 http.Header
	json                    any        // body, unless there is a form
	form                    url.Values // body
	open                    bool       // no access token
	// repeatable: made twice it has the effect and the answer of once.
	repeatable bool
	// once: it is not for the call to wait and repeat, but for its caller.
	once bool
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

// do makes a call, again where that may help, and decodes the answer into out.
func (c *Client) do(ctx context.Context, k *call, out any) error {
	renewed := false
	for attempt := 1; ; attempt++ {
		token, err := c.bearer(ctx, k)
		if err != nil {
			return err
		}
		err = c.once(ctx, k, token, out)
		if !renewed && c.stale(err) {
			renewed = true
			c.access.spoil(token, c.options.Now())
			continue // a call that was refused may be repeated
		}
		wait, again := c.again(k, err, attempt)
		if !again || ctx.Err() != nil || c.options.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

// bearer is the access token for a call; empty: it needs none.
func (c *Client) bearer(ctx context.Context, k *call) (string, error) {
	if k.open {
		return "", nil
	}
	return c.AccessToken(ctx)
}

// stale reports whether a call was refused because of an access token that can be
// renewed. A client that was revoked is not renewed.
func (c *Client) stale(err error) bool {
	e, ok := err.(*Error)
	return ok && e.Status == http.StatusUnauthorized && e.AccessToken && c.options.AccessToken == "" &&
		(e.Code == CodeTokenExpired || e.Code == "unauthorized")
}

// again decides whether a call is made again, and after which pause.
func (c *Client) again(k *call, err error, attempt int) (wait time.Duration, again bool) {
	if err == nil || k.once || attempt >= c.options.Attempts {
		return 0, false
	}
	wait = backoff(attempt)
	switch e := err.(type) {
	case *Error:
		if e.Status == http.StatusTooManyRequests {
			wait = max(wait, time.Second)
		}
		wait = max(wait, e.RetryAfter)
		again = e.Status == http.StatusTooManyRequests || e.undone() || e.passing() && k.repeatable
	case *UnansweredError:
		again = k.repeatable || unsent(e.Err)
	}
	return wait, again && wait <= c.options.MaxWait
}

// passing reports whether the service, or a proxy in front of it, was not there for a
// moment.
func (e *Error) passing() bool {
	return e.Status == http.StatusServiceUnavailable || e.Status == http.StatusBadGateway || e.Status == http.StatusGatewayTimeout
}

// backoff is the pause after an attempt: 250 ms, doubled each time, of which up to a
// half is left to chance, so that those who failed together do not come together.
func backoff(attempt int) time.Duration {
	d := 250 * time.Millisecond << min(attempt-1, 6)
	return d/2 + rand.N(d/2)
}

// once makes one attempt.
func (c *Client) once(ctx context.Context, k *call, token string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	request, err := c.request(ctx, k, token)
	if err != nil {
		return err
	}
	web := &c.web
	if !k.repeatable {
		web = &c.fresh
	}
	answer, err := web.Do(request)
	if err != nil {
		return unanswered(k.operation, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return unanswered(k.operation, err)
	}
	if answer.StatusCode/100 != 2 {
		return readError(k.operation, answer, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return unanswered(k.operation, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, k *call, token string) (*http.Request, error) {
	body, contentType, err := k.body()
	if err != nil {
		return nil, err
	}
	target := c.options.BaseURL + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, k.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, headers := range []http.Header{c.options.Header, k.headers} {
		for name, values := range headers {
			request.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	request.Header.Set("Accept", "application/json")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

func (k *call) body() (body []byte, contentType string, err error) {
	switch {
	case k.form != nil:
		return []byte(k.form.Encode()), "application/x-www-form-urlencoded", nil
	case k.json != nil:
		body, err = json.Marshal(k.json)
		return body, "application/json", err
	}
	return nil, "", nil
}

// Time is an instant that the API writes as milliseconds since 1970, as a number
// or as text.
type Time struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(text []byte) error {
	var ms int64
	if err := json.Unmarshal([]byte(strings.Trim(string(text), `"`)), &ms); err != nil {
		return err
	}
	t.Time = time.UnixMilli(ms)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.UnixMilli()) }
