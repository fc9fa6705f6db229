package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
)

func TestCodeSettings(t *testing.T) {
	c, err := config.Parse([]byte(`realms:
  - {id: acme, serviceProviders: [tv], linkCode: {length: 8, alphabet: alphanumeric}}
  - {id: other, serviceProviders: [tv2]}
`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"link codes of realm acme":  "of length 8 and alphabet alphanumeric",
		"link codes of realm other": "of length 6 and alphabet digits",
	}
	if diff := cmp.Diff(want, c.CodeSettings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
