package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"
)

// back is where browsers are sent after a login; it is not requested.
const back = "https://bench.example/"

// loginsAtOnce is how many members log in at the same time.
const loginsAtOnce = 16

// logAllIn logs every member in at the sandbox.
func logAllIn(ctx context.Context, address string, members []member) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loginsAtOnce)
	for _, m := range members {
		group.Go(func() error { return logIn(ctx, "http://"+address, m) })
	}
	return group.Wait()
}

// logIn is the login of one member at the sandbox: its app's call, and the way of its
// viewer's browser to the MVPD and back.
func logIn(ctx context.Context, base string, m member) error {
	browser, login, err := beginLogin(ctx, base, m, "sandbox")
	if err != nil {
		return err
	}
	_, page, err := browser.send(ctx, http.MethodGet, login, nil, nil)
	if err != nil {
		return err
	}
	_, callback, err := browser.send(ctx, http.MethodPost, page, url.Values{"viewer": {"ada"}}, nil)
	if err != nil {
		return err
	}
	_, end, err := browser.send(ctx, http.MethodGet, callback, nil, nil)
	if err == nil && end != back {
		err = fmt.Errorf("a login ended at %q", end)
	}
	return err
}

// logInAt is the login of one member at an MVPD that asks for nothing.
func logInAt(ctx context.Context, base string, m member, mvpd string) error {
	browser, at, err := beginLogin(ctx, base, m, mvpd)
	for hops := 0; err == nil && at != back; hops++ {
		if at == "" || hops == 10 {
			return fmt.Errorf("a login at %s ended at %q", mvpd, at)
		}
		_, at, err = browser.send(ctx, http.MethodGet, at, nil, nil)
	}
	return err
}

// beginLogin returns a browser and the address where it logs a member in.
func beginLogin(ctx context.Context, base string, m member, mvpd string) (browser *visitor, at string, err error) {
	browser = &visitor{Client: http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	form := url.Values{"mvpd": {mvpd}, "domainName": {"bench.example"}, "redirectUrl": {back}}
	body, _, err := browser.send(ctx, http.MethodPost, base+"/api/v2/"+m.provider+"/sessions", form, map[string]string{
		"Authorization": "Bearer " + m.bearer, "AP-Device-Identifier": "fingerprint " + m.device, "AD-Service-Token": m.service,
	})
	if err != nil {
		return nil, "", err
	}
	var session struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(body, &session); err != nil {
		return nil, "", err
	}
	return browser, base + session.URL, nil
}

// visitor is a browser that keeps the cookies of one login.
type visitor struct {
	http.Client
	cookies []*http.Cookie
}

// send returns the body of an answer and where it sends the browser.
func (v *visitor) send(ctx context.Context, method, to string, form url.Values, headers map[string]string) (body []byte, location string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	for _, cookie := range v.cookies {
		request.AddCookie(cookie)
	}
	response, err := v.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	v.cookies = append(v.cookies, response.Cookies()...)
	if body, err = io.ReadAll(response.Body); err != nil {
		return nil, "", err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, "", fmt.Errorf("%s %s: %s: %s", method, request.URL.Path, response.Status, body)
	}
	return body, response.Header.Get("Location"), nil
}
