package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxWaits bounds how often a call is repeated after a 429.
const maxWaits = 10

// header are headers in the order in which they are shown.
type header [][2]string

// app calls the public API as an app on one device does.
type app struct {
	*session
	public  string // base URL
	address string // X-Forwarded-For; empty: none
	show    func(exchange)
}

// exchange is one call and its answer.
type exchange struct {
	Method  string `json:"method"`
	URL     string `json:"url"`
	Headers header `json:"headers"`
	Body    string `json:"body,omitempty"`
	Status  int    `json:"status"`
	Answer  string `json:"answer"`
	Wait    string `json:"wait,omitempty"` // before the call is repeated
}

// call makes a call, waits and repeats it when the throttle says so, and
// decodes the answer into out.
func (a *app) call(method, path string, h header, body string, out any) error {
	if a.address != "" {
		h = append(h, [2]string{"X-Forwarded-For", a.address})
	}
	for range maxWaits {
		x := exchange{Method: method, URL: a.public + path, Headers: h, Body: body}
		wait, err := a.exchange(&x)
		if err != nil {
			return fmt.Errorf("the public API at %s cannot be reached: %w", a.public, plain(err))
		}
		a.show(x)
		switch {
		case x.Status == http.StatusTooManyRequests:
			if err := a.pause(wait); err != nil {
				return err
			}
		case x.Status/100 != 2:
			return refused(x.Status, []byte(x.Answer))
		default:
			return json.Unmarshal([]byte(x.Answer), out)
		}
	}
	return &refusal{http.StatusTooManyRequests, "too many requests, again and again"}
}

// exchange makes the call. wait is what a 429 asks for, a second at least.
func (a *app) exchange(x *exchange) (wait time.Duration, err error) {
	r, err := http.NewRequestWithContext(a.ctx, x.Method, x.URL, strings.NewReader(x.Body))
	if err != nil {
		return 0, err
	}
	for _, h := range x.Headers {
		r.Header.Set(h[0], h[1])
	}
	answer, err := a.web.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	x.Status, x.Answer = answer.StatusCode, strings.TrimSpace(string(text))
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	wait = max(time.Duration(seconds), 1) * time.Second
	if x.Status == http.StatusTooManyRequests {
		x.Wait = wait.String()
	}
	return wait, err
}

// pause waits, unless the user has had enough.
func (a *app) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-a.ctx.Done():
		return a.ctx.Err()
	}
}
