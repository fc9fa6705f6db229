package registration

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCreateStatementRefuses(t *testing.T) {
	f := newFixture(t)
	sp := []string{"acme-tv"}
	tests := map[string]StatementRequest{
		"no service provider":      {ClientName: "x"},
		"unknown service provider": {ServiceProviders: []string{"acme-tv", "nobody"}},
		"unknown scope":            {ServiceProviders: sp, Scopes: []string{"admin"}},
		"bad redirect URI":         {ServiceProviders: sp, RedirectURIs: []string{"http://x.example"}},
		"long name":                {ServiceProviders: sp, ClientName: strings.Repeat("x", 257)},
		"control character":        {ServiceProviders: sp, ClientName: "a\nb"},
		"broken UTF-8":             {ServiceProviders: sp, ClientName: "\xff"},
		"many platforms":           {ServiceProviders: sp, Platforms: slices.Repeat([]string{"x"}, 101)},
	}
	for name, r := range tests {
		if created, err := f.CreateStatement(t.Context(), r); !errors.Is(err, ErrInput) || created.ID != "" {
			t.Errorf("%s: got %v, want ErrInput", name, err)
		}
	}
}

func TestStatementIsNotGivenOutUnlessKept(t *testing.T) {
	f := newFixture(t)
	gone := errors.New("no majority")
	f.store.Fail(gone)
	if created, err := f.CreateStatement(t.Context(), StatementRequest{ServiceProviders: []string{"acme-tv"}}); !errors.Is(err, gone) || created.SoftwareStatement != "" {
		t.Errorf("got %+v, %v", created, err)
	}
}

func TestStatementClaims(t *testing.T) {
	f := newFixture(t)
	created := f.create(func(r *StatementRequest) {
		r.ClientURI, r.Platforms, r.RedirectURIs = "https://acme.example", []string{"iOS"}, []string{"acme://cb"}
	})
	raw, err := f.ring.VerifyStatement([]byte(created.SoftwareStatement), begin)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if id, _ := got["software_id"].(string); len(id) != 36 {
		t.Errorf("software_id: got %q", id)
	}
	delete(got, "software_id")
	want := map[string]any{
		"iss": "https://sso.example.com", "iat": float64(begin.Unix()), "jti": created.ID,
		"client_name": "Acme TV", "client_uri": "https://acme.example", "service_providers": []any{"acme-tv"},
		"scopes": []any{"api:client:v2"}, "redirect_uris": []any{"acme://cb"}, "platforms": []any{"iOS"}, "grant_types": []any{"client_credentials"},
		"may_assert_identity": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}
