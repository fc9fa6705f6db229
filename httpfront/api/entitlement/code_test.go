package entitlement_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestCodesAsPeopleTypeThem: a code of a login is the same in all spellings, for
// the page and for the app, and what is not a code is none in any.
func TestCodesAsPeopleTypeThem(t *testing.T) {
	a := start(t, realms)
	code := a.code("phone", "cable")
	wide := strings.Map(func(r rune) rune { return r + 0xFEE0 }, code)
	for name, typed := range map[string]string{
		"as it is": code, "lower case": strings.ToLower(code), "hyphen": code[:3] + "-" + code[3:], "blanks": " " + code[:4] + " " + code[4:],
		"no-break blank": code[:3] + "\u00a0" + code[3:], "dash": code[:3] + "\u2013" + code[3:], "invisible": "\u200e" + code + "\u200b", "full stop": code + ".", "full width": wide,
	} {
		path := url.PathEscape(typed)
		r := a.do(a.call("GET", "sessions/"+path, ""))
		if got, _ := r.JSON["existingParameters"].(map[string]any); r.StatusCode != http.StatusOK || got["mvpd"] != "cable" {
			t.Errorf("%s: the session is answered %d %s", name, r.StatusCode, r.Raw)
		}
		if r := a.do(a.call("GET", "profiles/code/"+path, "")); r.StatusCode != http.StatusOK {
			t.Errorf("%s: the profile is answered %d %s", name, r.StatusCode, r.Raw)
		}
		if r := a.browser().visit("/api/v2/authenticate/"+a.sp+"/"+path, nil); r.StatusCode != http.StatusFound {
			t.Errorf("%s: the page is answered %d", name, r.StatusCode)
		}
	}
	for name, typed := range map[string]string{
		"too short": code[1:], "too long": code + "2", "a letter that no code has": code[1:] + "O", "a letter of another script": code[1:] + "\u0410",
		"nothing": "-", "broken UTF-8": code[1:] + "\xff",
	} {
		a.fails(a.do(a.call("GET", "sessions/"+url.PathEscape(typed), "")), http.StatusBadRequest, "invalid_parameter_code")
		if r := a.browser().visit("/api/v2/authenticate/"+a.sp+"/"+url.PathEscape(typed), nil); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: the page is answered %d", name, r.StatusCode)
		}
	}
	if end := a.browser().logIn(a.sp, strings.ToLower(code[:3])+"%20"+code[3:], "ada"); end != home {
		t.Errorf("a login with a typed code ends at %s", end)
	}
}
