package main

import "testing"

// A node that listens on all addresses of its machine is reached where its admin
// API is.
func TestReachable(t *testing.T) {
	tests := []struct{ admin, address, want string }{
		{"http://127.0.0.1:8081", "127.0.0.1:8080", "127.0.0.1:8080"},
		{"http://127.0.0.1:8081", "[::1]:8080", "[::1]:8080"},
		{"http://[::1]:8081", "[::]:8080", "[::1]:8080"},
		{"http://[::1]:8081", ":8080", "[::1]:8080"},
		{"https://n1.example:8081", "0.0.0.0:8080", "n1.example:8080"},
		{"http://127.0.0.1:8081", "n1.example:8080", "n1.example:8080"},
	}
	for _, tt := range tests {
		s := session{admin: tt.admin}
		if got := s.reachable(tt.address); got != tt.want {
			t.Errorf("%s behind %s: got %s, want %s", tt.address, tt.admin, got, tt.want)
		}
	}
}
