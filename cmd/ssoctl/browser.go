package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Bounds of a browser: redirects, and reloads of a page after a 429.
const (
	maxRedirects = 10
	maxWaits     = 10
)

// browser is the viewer's browser: it keeps cookies, follows redirects, and
// shows every step.
type browser struct {
	*session
	web     *http.Client
	address string // X-Forwarded-For
}

func newBrowser(s *session, address string, show func(exchange)) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // without options nothing can be wrong
	}
	web := *s.web
	web.Jar, web.Transport = jar, recorder{s.web.Transport, show}
	return &browser{session: s, web: &web, address: address}
}

// follow opens a page, or sends a form to it, and goes where it is sent, as far
// as an address that begins with until: that is the app's own and not looked
// at. It returns the address where it stopped.
func (b *browser) follow(at string, form url.Values, until string) (string, error) {
	for range maxRedirects {
		next, err := b.visit(at, form)
		if err != nil || next == "" {
			return at, err
		}
		if at, form = next, nil; strings.HasPrefix(at, until) {
			return at, nil
		}
	}
	return at, fmt.Errorf("the browser is sent around in circles, last to %s", shorten(at))
}

// visit makes one step; next is empty when a page is shown.
func (b *browser) visit(at string, form url.Values) (next string, err error) {
	for range maxWaits {
		answer, err := b.load(at, form)
		if err != nil {
			return "", fmt.Errorf("the browser cannot open %s: %w", shorten(at), plain(err))
		}
		text, _ := io.ReadAll(answer.Body)
		target, err := answer.Location()
		switch {
		case answer.StatusCode == http.StatusTooManyRequests:
			if err := b.pause(waitOf(answer)); err != nil {
				return "", err
			}
		case err == nil:
			return target.String(), nil
		case answer.StatusCode != http.StatusOK:
			return "", &refusal{answer.StatusCode, string(text)}
		default:
			return "", nil
		}
	}
	return "", &refusal{http.StatusTooManyRequests, "too many requests, again and again"}
}

// load makes one request. The answer was read by the recorder.
func (b *browser) load(at string, form url.Values) (*http.Response, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(b.ctx, method, at, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.address != "" {
		request.Header.Set("X-Forwarded-For", b.address)
	}
	return b.web.Do(request)
}
