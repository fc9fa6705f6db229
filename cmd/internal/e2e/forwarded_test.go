package e2e

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// forwardConfig lets each address ask three times, and trusts the proxy only:
// its clients call from other addresses of the loopback network.
const forwardConfig = `
throttle: {rate: 0.001, burst: 2, trustedProxies: [127.0.0.1/32]}
realms:
  - {id: acme, serviceProviders: [tv]}
`

// TestAppendingProxiesTellWhoAsks: nginx lengthens the header that a client
// sent, HAProxy adds a line of its own. Either way a client that makes up
// addresses is throttled by its own, and spends nobody else's tokens.
func TestAppendingProxiesTellWhoAsks(t *testing.T) {
	appends := map[string]proxyKind{"nginx": nginx("nginx", "on"), "haproxy": haproxy("haproxy", "option forwardfor")}
	for name, kind := range appends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind.config = strings.Replace(kind.config, "proxy_set_header Host $http_host;",
				"proxy_set_header Host $http_host;\n      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", 1)
			p := startProxy(t, kind, startNode(t, forwardConfig).HTTP)
			var got []int
			for i := range 5 {
				got = append(got, askFrom(t, p, "127.0.0.2", fmt.Sprintf("127.0.0.3, 198.51.100.%d", i)))
			}
			got = append(got, askFrom(t, p, "127.0.0.3", ""))
			want := []int{401, 401, 401, 429, 429, 401}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// askFrom asks through a proxy, from an address, with a header that a client
// made up, and returns the status.
func askFrom(t *testing.T, p *proxy, from, forwarded string) int {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	client := newClient(t)
	client.Transport.(*http.Transport).DialContext = dialer.DialContext
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+p.address+"/api/tv/list", nil)
	must(t, err)
	if forwarded != "" {
		request.Header.Set("X-Forwarded-For", forwarded)
	}
	answer, err := client.Do(request)
	must(t, err)
	must(t, answer.Body.Close())
	return answer.StatusCode
}
