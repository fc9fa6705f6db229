package config_test

import (
	"errors"
	"strings"
	"testing"

	"ssod/httpfront/config"
)

func TestReplace(t *testing.T) {
	tests := []struct {
		name, next, refused string
	}{
		{"another number", "realms: [{id: a, serviceProviders: [tv], maxDevices: 7}]", ""},
		{"another service provider", "realms: [{id: a, serviceProviders: [tv, kids]}]", ""},
		{"another order", "throttle: {rate: 2}\nrealms: [{id: a, serviceProviders: [tv]}]", ""},
		{"a new realm", "realms: [{id: a, serviceProviders: [tv]}, {id: b, serviceProviders: [x]}]", "realm b is new"},
		{"a realm gone", "realms: [{id: b, serviceProviders: [tv]}]", "realm b is new, realm a is gone"},
		{"another alphabet", "realms: [{id: a, serviceProviders: [tv], linkCode: {alphabet: alphanumeric}}]", "realm a has another link code alphabet"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, next := parse(t, smallest), parse(t, tt.next)
			current := config.NewCurrent(old)
			err := current.Replace(next)
			if tt.refused == "" {
				if err != nil || current.Config() != next {
					t.Fatalf("got %v, want the new configuration in use", err)
				}
				return
			}
			if !errors.Is(err, config.ErrRestart) || !strings.HasPrefix(err.Error(), tt.refused+":") {
				t.Fatalf("got %v, want that it needs a restart because %s", err, tt.refused)
			}
			if current.Config() != old {
				t.Fatal("a refused configuration is in use")
			}
		})
	}
}

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
