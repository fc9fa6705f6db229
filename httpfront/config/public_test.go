package config

import "testing"

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:8080":       false,
		"http://[::1]:8080":           false,
		"http://localhost":            false,
		"http://localhost.":           false,
		"https://sso.localhost":       false,
		"http://10.1.2.3":             false,
		"http://192.168.0.7:8080":     false,
		"http://[fd00::1]":            false,
		"http://169.254.1.1":          false,
		"https://sso.test":            false,
		"https://box.home.arpa":       false,
		"https://box.Local":           false,
		"https://sso.internal":        false,
		"http://ssod1:8080":           false,
		"https://sso.example.com":     true,
		"https://localhost.example":   true,
		"https://notlocalhost.com":    true,
		"http://8.8.8.8":              true,
		"http://0.0.0.0:8080":         true,
		"http://[2001:db8::1]":        true,
		"http://127.0.0.1.nip.io":     true,
		"http://%zz":                  true,
		"http://user@sso.example.com": true,
	} {
		if got := public(address); got != want {
			t.Errorf("public(%q): got %v, want %v", address, got, want)
		}
	}
}
