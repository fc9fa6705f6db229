package config

import (
	"errors"
	"strings"
	"testing"
)

// TestOrigins: what can be listed is what browsers send, letter by letter.
func TestOrigins(t *testing.T) {
	for text, sent := range map[string]string{
		"https://tv.example.com":      "https://tv.example.com",
		"http://tv.example.com":       "http://tv.example.com",
		"https://tv.example.com:8443": "https://tv.example.com:8443",
		"http://localhost:5173":       "http://localhost:5173",
		"http://127.0.0.1:80":         "http://127.0.0.1",
		"http://[::1]:8080":           "http://[::1]:8080",
		"https://my_tv.example":       "https://my_tv.example",
		// What no browser sends, and what it sends instead.
		"https://TV.example.com":                 "https://tv.example.com",
		"HTTPS://tv.example.com":                 "https://tv.example.com",
		"https://tv.example.com:443":             "https://tv.example.com",
		"http://tv.example.com:80":               "http://tv.example.com",
		"https://tv.example.com:080":             "https://tv.example.com:80",
		"https://tv.example.com:":                "https://tv.example.com",
		"https://tv.example.com/":                "https://tv.example.com",
		"https://tv.example.com/app/index.html":  "https://tv.example.com",
		"https://b\u00fccher.example":            "https://xn--bcher-kva.example",
		"https://B\u00dcCHER.example":            "https://xn--bcher-kva.example",
		"https://xn--bcher-kva.example":          "https://xn--bcher-kva.example",
		"https://\u30c6\u30ec\u30d3.example:443": "https://xn--ddk0a0e.example",
		"http://[2001:DB8:0::1]":                 "http://[2001:db8::1]",
		// Packaged apps.
		"null":                      "null",
		"Null":                      "null",
		"file://":                   "file://",
		"file:///":                  "file://",
		"FILE:///app/index.html":    "file://",
		"app://localhost":           "app://localhost",
		"ionic://localhost":         "ionic://localhost",
		"acmetv://":                 "acmetv://",
		"chrome-extension://abc":    "chrome-extension://abc",
		"app://localhost:8080":      "app://localhost:8080",
		"ionic://localhost/":        "ionic://localhost",
		"Capacitor://localhost":     "capacitor://localhost",
		"ms-appx-web://Acme.TV_1-x": "ms-appx-web://Acme.TV_1-x",
		// Nothing that a browser sends.
		"":                              "",
		"*":                             "",
		"https://*":                     "",
		"https://*.example.com":         "",
		"tv.example.com":                "",
		"//tv.example.com":              "",
		"https://":                      "",
		"https:tv.example.com":          "",
		"https://me@tv.example.com":     "",
		"https://tv.example.com?a=b":    "",
		"https://tv.example.com#a":      "",
		"https://tv.example.com:x":      "",
		"https://tv.example.com:70000":  "",
		"https://a.example https://b.c": "",
		"https://tv%2eexample.com":      "",
		"file://server":                 "",
		"app://a b":                     "",
		"mailto:me":                     "",
		"undefined":                     "",
	} {
		if got := sentOrigin(text); got != sent {
			t.Errorf("%q: got %q, want %q", text, got, sent)
		}
		if got := sentOrigin(sent); got != sent {
			t.Errorf("%q: sent as %q", sent, got)
		}
	}
}

// TestOriginsInTheFile: a mistake says what to write.
func TestOriginsInTheFile(t *testing.T) {
	const file = "realms:\n  - {id: a, serviceProviders: [tv], cors: {origins: [https://web.example, \"null\", file://, app://localhost]}}\n  - {id: b, serviceProviders: [x]}\n"
	c, err := Parse([]byte(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]bool{"https://web.example": true, "null": true, "file://": true, "app://localhost": true, "https://WEB.example": false, "": false} {
		if c.AllowsOrigin([]byte(origin)) != want || c.Realms[0].CORS.Allows([]byte(origin)) != want || c.Realms[1].CORS.Allows([]byte(origin)) {
			t.Errorf("%q: want allowed %v, in the first realm only", origin, want)
		}
	}
	for origin, want := range map[string]string{
		"https://TV.example.com": `origins[0]: "https://TV.example.com" is not what browsers send as their origin; write "https://tv.example.com"`,
		"https://*.example.com":  `origins[0]: "https://*.example.com" is not an origin such as`,
	} {
		_, err := Parse([]byte(strings.Replace(file, "https://web.example", `"`+origin+`"`, 1)), Options{})
		var mistakes Mistakes
		if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", origin, err, want)
		}
	}
}
