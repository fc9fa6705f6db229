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

// Every type may be asked for by name, and a realm knows whether anybody does.
func TestEventsAreAskedForByName(t *testing.T) {
	const with = `realms: [{id: a, serviceProviders: [tv], webhooks: [{url: "https://hooks.example/", secretFile: s, events: [`
	for _, event := range config.EventTypes {
		c, err := config.Parse([]byte(with+event+`]}]}]`), config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) > 0 {
			t.Errorf("%s: %v", event, c.Warnings)
		}
		for _, other := range config.EventTypes {
			if got := c.Realms[0].Tells(other); got != (other == event) {
				t.Errorf("with %s, told of %s: %v", event, other, got)
			}
		}
	}
	if c, err := config.Parse([]byte(`realms: [{id: a, serviceProviders: [tv]}]`), config.Options{}); err != nil || c.Realms[0].Tells("login.ended") {
		t.Errorf("without a receiver: %v", err)
	}
}
