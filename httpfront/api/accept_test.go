package api

import (
	"strings"
	"testing"
)

func TestAccept(t *testing.T) {
	tests := []struct {
		accept       string
		accepts, has bool
	}{
		{"", true, false},
		{"application/json", true, true},
		{"application/json;charset=utf-8", true, true},
		{"application/json; charset=UTF-8; q=0.5", true, true},
		{"Application/JSON", true, true},
		{"*/*", true, false},
		{"application/*", true, false},
		{"text/html, application/xhtml+xml, */*;q=0.8", true, false},
		{"text/html, application/json", true, true},
		{"text/html,application/json;q=0.1", true, true},
		{"text/xml", false, false},
		{"application/xml", false, false},
		{"application/jsonx", false, false},
		{"text/*", false, false},
		{"application/json;q=0", false, false},
		{"application/json;q=0.000", false, false},
		{"*/*;q=0", false, false},
		{",", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.accept, func(t *testing.T) {
			if got := AcceptsJSON([]byte(tt.accept)); got != tt.accepts {
				t.Errorf("AcceptsJSON: %v, want %v", got, tt.accepts)
			}
			if got := NamesJSON([]byte(tt.accept)); got != tt.has {
				t.Errorf("NamesJSON: %v, want %v", got, tt.has)
			}
		})
	}
}

func TestIsJSON(t *testing.T) {
	for contentType, want := range map[string]bool{
		"application/json": true, "application/json;charset=UTF-8": true, "APPLICATION/JSON ; x": true,
		"text/plain": false, "application/jsonp": false, "application/x-www-form-urlencoded": false, ";": false,
	} {
		if got := IsJSON([]byte(contentType)); got != want {
			t.Errorf("IsJSON(%q) = %v, want %v", contentType, got, want)
		}
	}
	if IsJSON([]byte(strings.Repeat("a", 10000))) {
		t.Error("nonsense is JSON")
	}
}
