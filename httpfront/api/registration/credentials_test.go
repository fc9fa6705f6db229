package registration

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
)

// basic is the header of RFC 6749, 2.3.1.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// TestHowAClientSaysWhoItIs: by the form or by Basic, never by both, and what is
// no client authentication does not matter.
func TestHowAClientSaysWhoItIs(t *testing.T) {
	f := newFixture(t)
	client, other := f.register(f.create().SoftwareStatement), f.register(f.create().SoftwareStatement)
	id, secret := client.ClientID, client.ClientSecret
	const grant = "grant_type=client_credentials"
	form := grant + "&client_id=" + id + "&client_secret=" + secret
	plain := "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	everything := "Basic " + base64.StdEncoding.EncodeToString([]byte(percent(id)+":"+percent(secret)))
	tests := []struct {
		name, authorization, form string
		want                      error
	}{
		{"form", "", form, nil},
		{"Basic", basic(id, secret), grant, nil},
		{"Basic, not encoded as in a form", plain, grant, nil},
		{"Basic, all of it encoded", everything, grant, nil},
		{"Basic without padding", strings.TrimRight(basic(id, secret), "="), grant, nil},
		{"basic in lower case, two blanks", "basic  " + basic(id, secret)[6:], grant, nil},
		{"Basic and the id", basic(id, secret), grant + "&client_id=" + id, nil},
		{"Basic and empty parameters", basic(id, secret), grant + "&client_id=&client_secret=", nil},
		{"form and an old Bearer", "Bearer old", form, nil},
		{"form and an empty Bearer", "Bearer", form, nil},
		{"form and another scheme", "Digest username=x", form, nil},

		{"both", basic(id, secret), form, ErrInvalidRequest},
		{"both, another's Basic", basic(other.ClientID, other.ClientSecret), form, ErrInvalidRequest},
		{"both, Basic malformed", "Basic ***", form, ErrInvalidRequest},
		{"Basic and another id", basic(id, secret), grant + "&client_id=" + other.ClientID, ErrInvalidRequest},
		{"Basic and a secret", basic(id, secret), grant + "&client_secret=" + secret, ErrInvalidRequest},
		{"Basic without a grant", basic(id, secret), "", ErrInvalidRequest},
		{"Basic with another grant", basic(id, secret), "grant_type=password", ErrUnsupportedGrantType},
		{"Bearer alone", "Bearer old", grant, ErrInvalidRequest},
		{"nothing", "", grant, ErrInvalidRequest},
		{"wrong in the form", "", form + "x", ErrInvalidClient},
		{"wrong in the form, old Bearer", "Bearer old", form + "x", ErrInvalidClient},

		{"wrong secret", basic(id, "x"), grant, ErrBasic},
		{"no secret", basic(id, ""), grant, ErrBasic},
		{"no id", basic("", secret), grant, ErrBasic},
		{"another's secret", basic(id, other.ClientSecret), grant, ErrBasic},
		{"no colon", "Basic " + base64.StdEncoding.EncodeToString([]byte(id)), grant, ErrBasic},
		{"no Base64", "Basic ***", grant, ErrBasic},
		{"bad escape", "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":%zz")), grant, ErrBasic},
		{"nothing behind Basic", "Basic", grant, ErrBasic},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := formRequest(tt.form)
			r.Authorization = tt.authorization
			got, err := f.Token(r)
			if !errors.Is(err, tt.want) || (err == nil) != (got.AccessToken != "") {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestParametersInTheQuery: the vendor's own description of the API has them there.
// They are in one place, the query or the body.
func TestParametersInTheQuery(t *testing.T) {
	f := newFixture(t)
	client := f.register(f.create().SoftwareStatement)
	id, secret := client.ClientID, client.ClientSecret
	const grant, form = "grant_type=client_credentials", "application/x-www-form-urlencoded"
	all := grant + "&client_id=" + id + "&client_secret=" + secret
	tests := []struct {
		name, query, contentType, body, authorization string
		want                                          error
	}{
		{"query", all, "", "", "", nil},
		{"query of a form without a body", all, form, "", "", nil},
		{"query of JSON without a body", all, "application/json", "", "", nil},
		{"query, old Bearer", all, "", "", "Bearer old", nil},
		{"query with what nobody looks at", all + "&refresh_token=x&_=1", "", "", "", nil},
		{"grant in the query, Basic", grant, "", "", basic(id, secret), nil},
		{"query, and a body with what nobody looks at", all, form, "x=1&client_id=", "", nil},
		{"body, and a query with what nobody looks at", "utm=1&client_id=", form, all, "", nil},

		{"both", all, form, all, "", ErrInvalidRequest},
		{"grant in the query, credentials in the body", grant, form, "client_id=" + id + "&client_secret=" + secret, "", ErrInvalidRequest},
		{"grant in the body, credentials in the query", "client_id=" + id + "&client_secret=" + secret, form, grant, "", ErrInvalidRequest},
		{"the id in the query, the rest in the body", "client_id=" + id, form, all, "", ErrInvalidRequest},
		{"query, and a body that is no form", all, "application/json", "{}", "", ErrInvalidRequest},
		{"a parameter twice", all + "&client_id=" + id, "", "", "", ErrInvalidRequest},
		{"malformed", all + "&x=%zz", "", "", "", ErrInvalidRequest},
		{"malformed, beside a body", "x=%zz", form, all, "", ErrInvalidRequest},
		{"without a secret", grant + "&client_id=" + id, "", "", "", ErrInvalidRequest},
		{"without a grant", "client_id=" + id + "&client_secret=" + secret, "", "", "", ErrInvalidRequest},
		{"query and Basic", all, "", "", basic(id, secret), ErrInvalidRequest},
		{"another grant", "grant_type=password&client_id=" + id + "&client_secret=" + secret, "", "", "", ErrUnsupportedGrantType},
		{"wrong secret", all + "x", "", "", "", ErrInvalidClient},
		{"nothing", "", "", "", "", ErrInvalidRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := f.Token(Request{Query: tt.query, ContentType: tt.contentType, Body: []byte(tt.body), Authorization: tt.authorization})
			if !errors.Is(err, tt.want) || (err == nil) != (got.AccessToken != "") {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// percent encodes every byte.
func percent(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
	}
	return b.String()
}

// TestAuthMethodOfARegistration: the answer says what works (RFC 7591, 3.2.1).
func TestAuthMethodOfARegistration(t *testing.T) {
	f := newFixture(t)
	statement := f.create().SoftwareStatement
	for _, tt := range []struct {
		asked any
		want  string
	}{
		{"client_secret_post", "client_secret_post"},
		{"client_secret_basic", "client_secret_basic"},
		{"none", "client_secret_basic"},
		{"private_key_jwt", "client_secret_basic"},
		{nil, "client_secret_basic"},
		{1, "client_secret_basic"},
	} {
		got, err := f.Register(jsonRequest(map[string]any{"software_statement": statement, "token_endpoint_auth_method": tt.asked}))
		if err != nil || got.AuthMethod != tt.want {
			t.Errorf("%v: got %q, %v; want %q", tt.asked, got.AuthMethod, err, tt.want)
		}
	}
	if got := f.register(statement); got.AuthMethod != "client_secret_basic" {
		t.Errorf("not asked: got %q", got.AuthMethod)
	}
}
