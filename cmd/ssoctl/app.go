package main

import (
	"encoding/json"
	"fmt"
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
	// Location is where a browser is sent.
	Location string `json:"location,omitempty"`
	Answer   string `json:"answer"`
	Wait     string `json:"wait,omitempty"` // before the call is repeated
}

// call makes a call, waits and repeats it when the throttle says so, and
// decodes the answer into out.
func (a *app) call(method, path string, h header, body string, out any) error {
	if a.address != "" {
		h = append(h, [2]string{"X-Forwarded-For", a.address})
	}
	for range maxWaits {
		x := exchange{Method: method, URL: a.public + path, Headers: h, Body: body}
		answer, err := a.exchange(a.web, &x)
		if err != nil {
			return fmt.Errorf("the public API at %s cannot be reached: %w", a.public, plain(err))
		}
		a.show(x)
		switch {
		case x.Status == http.StatusTooManyRequests:
			if err := a.pause(waitOf(answer)); err != nil {
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

// exchange makes a request and reads its answer into x.
func (s *session) exchange(web *http.Client, x *exchange) (*http.Response, error) {
	r, err := http.NewRequestWithContext(s.ctx, x.Method, x.URL, strings.NewReader(x.Body))
	if err != nil {
		return nil, err
	}
	for _, h := range x.Headers {
		r.Header.Set(h[0], h[1])
	}
	answer, err := web.Do(r)
	if err != nil {
		return nil, err
	}
	x.Status, x.Wait = answer.StatusCode, ""
	if x.Status == http.StatusTooManyRequests {
		x.Wait = waitOf(answer).String()
	}
	x.Answer, err = readAll(answer)
	return answer, err
}

// waitOf is how long a 429 asks to wait, a second at least.
func waitOf(answer *http.Response) time.Duration {
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return time.Duration(max(seconds, 1)) * time.Second
}

// pause waits, unless the user has had enough.
func (s *session) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}
