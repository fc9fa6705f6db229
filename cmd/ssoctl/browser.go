package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// maxRedirects bounds how long a browser follows a trail.
const maxRedirects = 10

// browser is the viewer's browser: it keeps cookies, follows redirects, and
// shows every step.
type browser struct {
	*session
	web     *http.Client
	address string // X-Forwarded-For
	show    func(exchange)
}

func newBrowser(s *session, address string, show func(exchange)) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // without options nothing can be wrong
	}
	web := *s.web
	web.Jar = jar
	return &browser{session: s, web: &web, address: address, show: show}
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
	x := exchange{Method: http.MethodGet, URL: at, Body: form.Encode()}
	if b.address != "" {
		x.Headers = header{{"X-Forwarded-For", b.address}}
	}
	if form != nil {
		x.Method = http.MethodPost
		x.Headers = append(x.Headers, [2]string{"Content-Type", "application/x-www-form-urlencoded"})
	}
	for range maxWaits {
		answer, err := b.exchange(&x)
		if err != nil {
			return "", fmt.Errorf("the browser cannot open %s: %w", shorten(at), plain(err))
		}
		b.show(x)
		switch {
		case x.Status == http.StatusTooManyRequests:
			if err := b.pause(waitOf(answer)); err != nil {
				return "", err
			}
		case x.Location != "":
			return x.Location, nil
		case x.Status != http.StatusOK:
			return "", &refusal{x.Status, x.Answer}
		default:
			return "", nil
		}
	}
	return "", &refusal{http.StatusTooManyRequests, "too many requests, again and again"}
}

// exchange makes one request. Of a page only the heading is kept.
func (b *browser) exchange(x *exchange) (*http.Response, error) {
	answer, err := b.session.exchange(b.web, x)
	if err != nil {
		return nil, err
	}
	if target, err := answer.Location(); err == nil {
		x.Location = target.String()
	}
	if heading := heading.FindStringSubmatch(x.Answer); heading != nil {
		x.Answer = "the page: " + heading[1]
	}
	return answer, nil
}

var heading = regexp.MustCompile(`<h1>([^<]*)</h1>`)

// readAll reads an answer within bounds.
func readAll(answer *http.Response) (string, error) {
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return strings.TrimSpace(string(text)), err
}
