package transport_test

import "testing"

// BenchmarkCall is one small request and its answer over mutual TLS.
func BenchmarkCall(b *testing.B) {
	authority := newAuthority(b)
	from, to := answering(b, 1, echo, secured(b, authority)), answering(b, 2, echo, secured(b, authority))
	know(b, from, to.peer)
	request := []byte("what is new")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := from.Call(b.Context(), 2, request); err != nil {
			b.Fatal(err)
		}
	}
}
