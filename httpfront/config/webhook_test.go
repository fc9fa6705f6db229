package config_test

import (
	"strings"
	"testing"

	"ssod/httpfront/config"
)

// A receiver's address may have a secret in it, so no mistake quotes it.
func TestAReceiverIsNamedOnceAndNeverQuoted(t *testing.T) {
	const hook = `{url: "https://hooks.example/s3cret", secretFile: s`
	_, err := config.Parse([]byte(`realms: [{id: a, serviceProviders: [tv], webhooks: [`+hook+`}, `+hook+`}]}]`), config.Options{})
	if err == nil || !strings.Contains(err.Error(), "realms[0].webhooks[1].url: is that of realms[0].webhooks[0].url in line 1") {
		t.Errorf("the same receiver twice: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the address is quoted: %v", err)
	}
}

// A type that is asked for by name and never sent is warned of.
func TestEventsThatAreNotSentAreWarnedOf(t *testing.T) {
	const with = `realms: [{id: a, serviceProviders: [tv], webhooks: [{url: "https://hooks.example/", secretFile: s, events: [`
	for event, warnings := range map[string]int{"login.ended": 0, "decision.denied": 1, "linkcode.attack": 1} {
		c, err := config.Parse([]byte(with+event+`]}]}]`), config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) != warnings {
			t.Errorf("%s: %v, want %d", event, c.Warnings, warnings)
		}
	}
}
