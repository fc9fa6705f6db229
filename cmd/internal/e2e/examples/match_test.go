package examples

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// token is unsigned: matchers read tokens and do not verify them.
func token(header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(payload)) + "." + encode([]byte("signature"))
}

func TestMatchBody(t *testing.T) {
	jwt := token(`{"alg":"HS256"}`, `{"sub":"viewer","nbf":1700000000,"exp":1700003600}`)
	tests := []struct {
		name, want, got string
		match           bool
	}{
		{"subset of an object", `{"a":1}`, `{"a":1,"b":2}`, true},
		{"missing field", `{"a":1}`, `{"b":1}`, false},
		{"other value", `{"a":"x"}`, `{"a":"y"}`, false},
		{"number is not its text", `{"a":"1"}`, `{"a":1}`, false},
		{"null", `{"a":null}`, `{"a":null}`, true},
		{"only these keys", `{"$exactKeys":["a"],"a":1}`, `{"a":1}`, true},
		{"one key too many", `{"$exactKeys":["a"]}`, `{"a":1,"b":2}`, false},
		{"one key too few", `{"$exactKeys":["a","b"]}`, `{"a":1}`, false},
		{"empty object", `{"$exactKeys":[]}`, `{}`, true},
		{"no empty object", `{"$exactKeys":[]}`, `{"a":1}`, false},
		{"has keys", `{"$hasKeys":["a"]}`, `{"a":1,"b":2}`, true},
		{"has not all keys", `{"$hasKeys":["a","c"]}`, `{"a":1,"b":2}`, false},
		{"array", `[1,"<int>"]`, `[1,2]`, true},
		{"array in another order", `[1,2]`, `[2,1]`, false},
		{"longer array", `[1]`, `[1,2]`, false},
		{"empty array", `[]`, `[]`, true},
		{"absent", `{"a":"<absent>"}`, `{}`, true},
		{"present", `{"a":"<absent>"}`, `{"a":null}`, false},
		{"string", `"<string>"`, `"x"`, true},
		{"empty string", `"<string>"`, `""`, false},
		{"int", `"<int>"`, `-5`, true},
		{"fraction", `"<int>"`, `1.5`, false},
		{"object", `"<object>"`, `{}`, true},
		{"array is no object", `"<object>"`, `[]`, false},
		{"array matcher", `"<array>"`, `[]`, true},
		{"any", `"<any>"`, `null`, true},
		{"uuid", `"<uuid>"`, `"a2fd21bb-0bd4-44b1-8ee8-7b60ba0b5b9a"`, true},
		{"no uuid", `"<uuid>"`, `"a2fd21bb0bd444b18ee87b60ba0b5b9a"`, false},
		{"url", `"<url>"`, `"https://example.com/x"`, true},
		{"relative url", `"<url>"`, `"/x"`, false},
		{"jws", `"<jws>"`, `"a.b.c"`, true},
		{"unsigned", `"<jws>"`, `"a.b."`, false},
		{"epoch s", `"<epochSec>"`, `1700000000`, true},
		{"ms are not s", `"<epochSec>"`, `1700000000000`, false},
		{"epoch ms", `"<epochMs>"`, `1700000000000`, true},
		{"s are not ms", `"<epochMs>"`, `1700000000`, false},
		{"text is no number", `"<epochMs>"`, `"1700000000000"`, false},
		{"ms in text", `"<epochMsString>"`, `"1700000000000"`, true},
		{"regex", `"<regex:^[0-9]{6}$>"`, `"012345"`, true},
		{"regex too short", `"<regex:^[0-9]{6}$>"`, `"12345"`, false},
		{"starts with", `"<startsWith:ab>"`, `"abc"`, true},
		{"contains", `"<contains:b>"`, `"abc"`, true},
		{"contains not", `"<contains:x>"`, `"abc"`, false},
		{"one of", `"<oneOf:a,b>"`, `"b"`, true},
		{"none of", `"<oneOf:a,b>"`, `"c"`, false},
		{"base64 prefix", `"<base64Prefix:YWJj>"`, `"YWJjZGVm"`, true},
		{"set in any order", `"<setEquals:GET, POST>"`, `"POST,GET"`, true},
		{"larger set", `"<setEquals:GET>"`, `"GET, POST"`, false},
		{"same as a field", `{"a":"<equals:$.b>"}`, `{"a":"x","b":"x"}`, true},
		{"not the field", `{"a":"<equals:$.b>"}`, `{"a":"x","b":"y"}`, false},
		{"variable", `"<equalsVar:known>"`, `"value"`, true},
		{"at least", `"<atLeastVar:number>"`, `42`, true},
		{"more than that", `"<atLeastVar:number>"`, `43`, true},
		{"less than that", `"<atLeastVar:number>"`, `41`, false},
		{"at least a text", `"<atLeastVar:known>"`, `42`, false},
		{"unknown variable", `"<equalsVar:other>"`, `""`, false},
		{"variable inside", `"/a/{{known}}/b"`, `"/a/value/b"`, true},
		{"another value inside", `"/a/{{known}}/b"`, `"/a/other/b"`, false},
		{"unknown variable inside", `"{{other}}"`, `""`, false},
		{"check", `{"$check":"5 <= a-b <= 10"}`, `{"a":12,"b":5}`, true},
		{"check fails above", `{"$check":"5 <= a-b <= 10"}`, `{"a":16,"b":5}`, false},
		{"check without field", `{"$check":"5 <= a"}`, `{}`, false},
		{"claims", `{"$jwt":{"field":"serviceToken","header":{"alg":"HS256"},"payload":{"sub":"viewer","nbf":"<int>"}}}`, `{"serviceToken":"` + jwt + `"}`, true},
		{"other claim", `{"$jwt":{"field":"serviceToken","payload":{"sub":"stranger"}}}`, `{"serviceToken":"` + jwt + `"}`, false},
		{"no token", `{"$jwt":{"field":"serviceToken","payload":{}}}`, `{}`, false},
		{"expression", `{"notBefore":"<equalsExpr:jwt.nbf*1000>"}`, `{"notBefore":1700000000000,"serviceToken":"` + jwt + `"}`, true},
		{"other number", `{"notBefore":"<equalsExpr:jwt.nbf*1000>"}`, `{"notBefore":1700000000001,"serviceToken":"` + jwt + `"}`, false},
		{"unknown matcher", `"<speling>"`, `"x"`, false},
		{"unknown directive", `{"$speling":1}`, `{}`, false},
		{"not JSON", `{}`, `<html>`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want any
			decoder := json.NewDecoder(strings.NewReader(tt.want))
			decoder.UseNumber()
			if err := decoder.Decode(&want); err != nil {
				t.Fatal(err)
			}
			e := Expect{Status: 200, Body: want}
			if want == nil {
				t.Fatal("a case without expectation")
			}
			got := e.Match(Answer{Status: 200, Body: []byte(tt.got)}, map[string]string{"known": "value", "number": "42"})
			if (len(got) == 0) != tt.match {
				t.Fatalf("match %s with %s: got differences %q, want match %v", tt.want, tt.got, got, tt.match)
			}
		})
	}
}

func TestMatchStatusAndHeaders(t *testing.T) {
	e := Expect{Status: 405, Headers: map[string]string{"allow": "<setEquals:GET, POST>", "WWW-Authenticate": "<absent>"}}
	good := Answer{Status: 405, Headers: http.Header{"Allow": {"POST, GET"}}}
	if got := e.Match(good, nil); len(got) > 0 {
		t.Fatalf("got differences %q, want none", got)
	}
	bad := Answer{Status: 401, Headers: http.Header{"Www-Authenticate": {"Bearer"}}}
	if got := e.Match(bad, nil); len(got) != 3 {
		t.Fatalf("got %q, want the status, a missing and a present header", got)
	}
}

func TestExpandPutsVariablesEverywhere(t *testing.T) {
	r := Request{
		Method: "POST", Path: "/{{path}}", Headers: map[string]string{"A": "Bearer {{token}}"},
		JSON: json.RawMessage(`{"x":"{{token}}"}`), Form: map[string]string{"y": "{{token}}"},
	}
	vars := map[string]string{"path": "p", "token": "t"}
	got, err := Expand(r, func(name string) (string, error) { return vars[name], nil })
	if err != nil {
		t.Fatal(err)
	}
	if got.Path != "/p" || got.Headers["A"] != "Bearer t" || string(got.JSON) != `{"x":"t"}` || got.Form["y"] != "t" {
		t.Fatalf("expanded: %+v", got)
	}
}

func TestLoadReadsTheCases(t *testing.T) {
	cases, err := Load("../testdata/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	const documented = 176 // a few of them differ by now, others were added
	if len(cases) < documented {
		t.Fatalf("got %d cases, want %d at least", len(cases), documented)
	}
	for _, c := range cases {
		got, err := Expand(c.Request, func(name string) (string, error) { return "{{" + name + "}}", nil })
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
		if (c.Request.Body() == nil) != (got.Body() == nil) || got.Target() != c.Request.Target() {
			t.Errorf("%s: expanding nothing changed the request to %s with body %q", c.ID, got.Target(), got.Body())
		}
	}
}
