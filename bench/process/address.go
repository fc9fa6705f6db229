package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// Ports below those that the kernel gives to outgoing connections, so that a
// load generator beside the server cannot take one in the meantime.
const firstPort, ports = 10_000, 20_000

// lastPort counts through the range, so that no two calls in this process get
// the same port; the start is random for the sake of other processes.
var lastPort = func() *atomic.Uint32 {
	var at atomic.Uint32
	at.Store(rand.Uint32N(ports))
	return &at
}()

var errNoPort = errors.New("no free port")

// FreeAddresses returns n loopback addresses that nobody listens on now, for
// programs that must be told their address.
func FreeAddresses(n int) ([]string, error) {
	var addrs []string
	for range ports {
		if len(addrs) == n {
			return addrs, nil
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+int(lastPort.Add(1)%ports)))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue // taken
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	return nil, fmt.Errorf("find %d addresses: %w", n, errNoPort)
}
