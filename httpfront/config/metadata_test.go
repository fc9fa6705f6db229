package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssod/httpfront/config"
)

const oidcCable = "id: m, kind: oidc, issuer: 'https://a.example', clientId: c, decision: authenticated"

func TestMistakesInUserMetadata(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"a claim of a sandbox":   {realm("mvpds: [{id: m, kind: sandbox, hba: at_home}]"), "4: realms[0].mvpds[0].hba: is a key of kind oidc and saml"},
		"two sources":            {realm("mvpds: [{" + oidcCable + ", hba: a, attributes: {hba_status: b}}]"), "4: realms[0].mvpds[0].hba: and attributes.hba_status name two sources"},
		"an encrypted viewer id": {realm("mvpds: [{" + oidcCable + ", encrypted: [userID]}]"), "4: realms[0].mvpds[0].encrypted[0]: userID is never encrypted: apps go by it"},
		"no name":                {realm("mvpds: [{" + oidcCable + ", encrypted: ['a b']}]"), `4: realms[0].mvpds[0].encrypted[0]: "a b" is not 1 to 64 letters, digits, - and _`},
	} {
		if _, err := config.Parse([]byte(tt.text), config.Options{}); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}

func TestUserMetadata(t *testing.T) {
	c, err := config.Parse([]byte(realm("mvpds: [{"+oidcCable+", hba: at_home, encrypted: [zip]}]")), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Realms[0].MVPDs[0].Attributes[config.HBAStatus]; got != "at_home" {
		t.Errorf("the claim of hba_status: %q", got)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].String(), "has no metadataCertFile") {
		t.Errorf("warnings: %v", c.Warnings)
	}
	path := filepath.Join(t.TempDir(), "ssod.yaml")
	text := "realms: [{id: a, serviceProviders: [{id: tv, metadataCertFile: none.crt}]}]"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(config.Options{File: path}); err == nil || !strings.Contains(err.Error(), "serviceProviders[0].metadataCertFile: open "+filepath.Join(filepath.Dir(path), "none.crt")) {
		t.Errorf("a certificate that is not there: %v", err)
	}
}
