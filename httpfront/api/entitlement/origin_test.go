package entitlement

import (
	"testing"

	"ssod/httpfront/mvpd"
)

// TestWhereASingleSignOnComesFrom is each kind of identity.
func TestWhereASingleSignOnComesFrom(t *testing.T) {
	for namespace, want := range map[string]mvpd.SSO{
		"sso":                   {Method: "serviceTokenSSO"},
		"https://id.example":    {Method: "serviceTokenSSO", Issuer: "https://id.example"},
		"platform:https://tv.a": {Method: "platformSSO", Issuer: "https://tv.a"},
	} {
		if got := ssoOf(namespace); got != want {
			t.Errorf("%s: got %+v, want %+v", namespace, got, want)
		}
	}
}
