package main

import (
	"fmt"
	"net/http"

	"ssod/bench/loadgen"
)

var _ loadgen.Source = (*strangers)(nil)

// strangers mints for stored profiles, each request for another one, in an order
// that no cache can guess.
type strangers struct {
	clients  []client
	profiles int
	sent     *int // by all sources of the same node
}

// stride is a prime that is no divisor of how many profiles there are, so that
// its multiples pass through all of them.
const stride = 2_654_435_761

func (n *build) strangers(profiles int) *strangers {
	return &strangers{clients: n.clients, profiles: profiles, sent: &n.sent}
}

func (s *strangers) Next(buf []byte) ([]byte, int, bool) {
	n := *s.sent
	*s.sent++
	viewer := uint64(n) * stride % uint64(s.profiles)
	c := s.clients[n%len(s.clients)]
	r := newRequest(buf, http.MethodPost, c.provider, "serviceToken", c.bearer)
	r = r.device(deviceID("tv", n)).header("X-Device-Info", deviceInfo)
	return r.header("X-SSO-ID", fmt.Sprintf("viewer-%d", viewer)).end(""), n, true
}

func (s *strangers) Answer(_, status int, _ []byte) bool { return status == http.StatusCreated }
