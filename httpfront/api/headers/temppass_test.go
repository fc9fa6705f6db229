package headers

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// with is a request with one header.
func with(name wire.Name, value string) *api.Request {
	r := requestOf("", "")
	r.Set(name, []byte(value))
	return r
}

func TestTemporaryIdentity(t *testing.T) {
	encoded := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, tt := range map[string]struct {
		value string
		good  bool
	}{
		"not sent":             {"", true},
		"the documented one":   {"eyJlbWFpbCI6ICJleGFtcGxlQGRvbWFpbi5jb20ifQ==", true},
		"a hash":               {encoded(`{"email":"9f86d081884c7d659a2feaa0c55ad015"}`), true},
		"a number":             {encoded(`{"account":4711}`), true},
		"no Base64":            {"{\"email\":1}", false},
		"no JSON":              {encoded("me"), false},
		"no object":            {encoded(`["me"]`), false},
		"nobody":               {encoded(`{}`), false},
		"somebody without one": {encoded(`{"email":""}`), false},
		"twice":                {encoded(`{"email":"a","email":"b"}`), false},
		"too long":             {encoded(`{"email":"` + strings.Repeat("x", maxTemporaryIdentity) + `"}`), false},
	} {
		err := CheckTemporaryIdentity(with(wire.TempPassIdentity, tt.value))
		if (err == nil) != tt.good || err != nil && !errors.Is(err, api.ErrTemporaryIdentity) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestVisitor(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "20265673158980419722735089753036633573": "20265673158980419722735089753036633573", `"2026"`: "2026",
		"a b": "", "a\x01": "", "\u00e4": "", strings.Repeat("1", maxVisitor+1): "",
	} {
		if got := Visitor(with(wire.VisitorIdentifier, value)); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
