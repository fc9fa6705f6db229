package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// v2 is a path of the entitlement API.
func v2(provider, operation string) string {
	return "/api/v2/" + url.PathEscape(provider) + "/" + operation
}

// signed are the headers of a call that proves the viewer with a service token.
func (d *device) signed(token string, more ...[2]string) header {
	h := d.headers([2]string{"X-Device-Info", d.info})
	if token != "" {
		h = append(h, [2]string{"AD-Service-Token", token})
	}
	return append(h, more...)
}

// configuration is what an app may know of its service provider.
type configuration struct {
	Requestor struct {
		Domains []struct {
			Name string `json:"name"`
		} `json:"domains"`
		MVPDs []struct {
			ID string `json:"id"`
		} `json:"mvpds"`
	} `json:"requestor"`
}

func (c *configuration) offers(mvpd string) bool {
	for _, m := range c.Requestor.MVPDs {
		if m.ID == mvpd {
			return true
		}
	}
	return false
}

func (d *device) configuration(provider string) (c configuration, err error) {
	if err := d.call(http.MethodGet, v2(provider, "configuration"), d.headers(), "", &c); err != nil {
		return c, fmt.Errorf("read the configuration: %w", err)
	}
	return c, nil
}

// begun is a login in progress.
type begun struct {
	Action string `json:"actionName"`
	URL    string `json:"url"`
	Code   string `json:"code"`
}

// createSession begins a login.
func (d *device) createSession(s *demo, token string) (b begun, err error) {
	back, err := url.Parse(s.redirect)
	if err != nil {
		return b, err
	}
	form := url.Values{"mvpd": {s.mvpd}, "domainName": {back.Host}, "redirectUrl": {s.redirect}}
	h := d.signed(token, [2]string{"Content-Type", "application/x-www-form-urlencoded"})
	if err := d.call(http.MethodPost, v2(s.provider, "sessions"), h, form.Encode(), &b); err != nil {
		return b, fmt.Errorf("begin a login: %w", err)
	}
	if b.Action != "authenticate" {
		return b, fmt.Errorf("begin a login: the next action is %q, want authenticate", b.Action)
	}
	return b, nil
}

// profiles are the logins that were found, by TV provider.
type profiles struct {
	Profiles map[string]struct {
		Type string `json:"type"`
	} `json:"profiles"`
}

func (p *profiles) expect(mvpd, kind string) error {
	if got := p.Profiles[mvpd].Type; got != kind {
		return fmt.Errorf("the login at %s is of type %q, want %s", mvpd, got, kind)
	}
	return nil
}

// profiles finds logins.
func (d *device) profiles(provider, operation, token string) (p profiles, err error) {
	if err := d.call(http.MethodGet, v2(provider, operation), d.signed(token), "", &p); err != nil {
		return p, fmt.Errorf("find logins for the %s: %w", d.name, err)
	}
	return p, nil
}

// decision is whether a resource may be watched.
type decision struct {
	Authorized bool `json:"authorized"`
	Token      struct {
		Serialized string `json:"serializedToken"`
	} `json:"token"`
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

// authorize asks whether the viewer may watch the channel.
func (d *device) authorize(s *demo, token string) (decision, error) {
	body, err := json.Marshal(map[string][]string{"resources": {channel}})
	if err != nil {
		return decision{}, err
	}
	var answer struct {
		Decisions []decision `json:"decisions"`
	}
	h := d.signed(token, [2]string{"Content-Type", "application/json"})
	operation := "decisions/authorize/" + url.PathEscape(s.mvpd)
	if err := d.call(http.MethodPost, v2(s.provider, operation), h, string(body), &answer); err != nil {
		return decision{}, fmt.Errorf("ask whether the %s may show %s: %w", d.name, channel, err)
	}
	if len(answer.Decisions) != 1 {
		return decision{}, fmt.Errorf("ask whether the %s may show %s: %d decisions", d.name, channel, len(answer.Decisions))
	}
	return answer.Decisions[0], nil
}

// logOut ends the login and returns the address for the browser.
func (d *device) logOut(s *demo, token, back string) (string, error) {
	var answer struct {
		Logouts map[string]struct {
			URL string `json:"url"`
		} `json:"logouts"`
	}
	operation := "logout/" + url.PathEscape(s.mvpd) + "?redirectUrl=" + url.QueryEscape(back)
	if err := d.call(http.MethodGet, v2(s.provider, operation), d.signed(token), "", &answer); err != nil {
		return "", fmt.Errorf("log out: %w", err)
	}
	if answer.Logouts[s.mvpd].URL == "" {
		return "", fmt.Errorf("log out: no address for the browser")
	}
	return answer.Logouts[s.mvpd].URL, nil
}

// keySet gets the public keys of a realm.
func (d *device) keySet(realm string) (keys json.RawMessage, err error) {
	path := "/.well-known/" + url.PathEscape(realm) + "/jwks.json"
	if err := d.call(http.MethodGet, path, nil, "", &keys); err != nil {
		return nil, fmt.Errorf("get the public keys of realm %s: %w", realm, err)
	}
	return keys, nil
}
