package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestRandomBytesDoNoHarm fills every port of a node, also those for clients and
// operators, with connections that send garbage, or begin and say no more.
func TestRandomBytesDoNoHarm(t *testing.T) {
	t.Parallel()
	f := startFortress(t)
	a := f.mustApp("one")
	before, costs := f.view(), f.costs()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	deadline := time.Now().Add(time.Duration(volume(1, 600)) * time.Second)
	sent := 0
	for round := 0; round == 0 || time.Now().Before(deadline); round++ {
		group := errgroup.Group{}
		group.SetLimit(64)
		for _, address := range f.nodes[0].Addresses {
			for i := range 50 {
				random := rand.New(rand.NewPCG(seed, uint64(round<<16+i)))
				group.Go(func() error { return pester(address, random) })
				sent++
			}
		}
		must(t, group.Wait())
	}
	t.Logf("connections with garbage: %d", sent)
	f.unmoved(t, a, before, costs)
}

// pester makes a connection that sends garbage and then, one time of two, waits
// a while for the answer.
func pester(address string, random *rand.Rand) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return fmt.Errorf("nobody listens any more: %w", err)
	}
	defer conn.Close()
	garbage := make([]byte, random.IntN(8<<10))
	for i := range garbage {
		garbage[i] = byte(random.Uint32())
	}
	copy(garbage, prefixes[random.IntN(len(prefixes))])
	_, _ = conn.Write(garbage) // it may be refused before
	if random.IntN(2) == 0 {
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, _ = conn.Read(make([]byte, 1<<10))
	}
	return nil
}

// prefixes get garbage past the first look.
var prefixes = []string{
	"", "", "\x16\x03\x01\x00\xc8\x01", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x00\x40\x01ssod", "\xf4\x06ssod-1\x06",
	"GET / HTTP/1.1\r\n", "POST /api/one/link HTTP/1.1\r\nHost: a\r\nContent-Length: 8000\r\n\r\n",
}
