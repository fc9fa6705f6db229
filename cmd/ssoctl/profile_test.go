package main

import "testing"

func TestCounted(t *testing.T) {
	for n, want := range map[int]string{0: "0 devices", 1: "1 device", 2: "2 devices"} {
		if got := counted(n, "device"); got != want {
			t.Errorf("counted(%d): got %q, want %q", n, got, want)
		}
	}
}
