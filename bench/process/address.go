package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports below those that the kernel gives to outgoing connections, so that a load
// generator on the same machine cannot take one in the meantime.
const (
	firstPort = 10_000
	blockSize = 100
	blocks    = 200
)

var errNoPort = errors.New("no free port")

// addresses hands out ports of blocks that belong to this process alone: it
// listens at the first port of each as long as it lives. So a server that is down
// for a moment finds its port free when it comes back, whatever other processes
// do meanwhile.
type addresses struct {
	mu     sync.Mutex
	guards []net.Listener
	owned  []int // first ports of the blocks, in the order in which they were taken
	next   int   // how many ports were handed out
}

var own addresses

// FreeAddresses returns n loopback addresses that are free now, for programs that must be
// told their address. Other processes do not get them from it while this one lives; this
// one gets them again after all others.
func FreeAddresses(n int) ([]string, error) { return own.take(n) }

func (a *addresses) take(n int) ([]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var addrs []string
	for range blocks * blockSize {
		if len(addrs) == n {
			return addrs, nil
		}
		port, err := a.port()
		if err != nil {
			return nil, err
		}
		if addr := loopback(port); free(addr) {
			addrs = append(addrs, addr)
		}
	}
	return nil, fmt.Errorf("find %d addresses: %w", n, errNoPort)
}

// port is the next one: of a new block when those that it has are used up, and
// from the beginning again when there is no new one.
func (a *addresses) port() (int, error) {
	const each = blockSize - 1
	if a.next == len(a.owned)*each && !a.takeBlock() {
		a.next = 0
	}
	if len(a.owned) == 0 {
		return 0, errNoPort
	}
	at := a.next
	a.next++
	return a.owned[at/each] + 1 + at%each, nil
}

// takeBlock takes a block that no process has; false if there is none.
func (a *addresses) takeBlock() bool {
	for _, block := range rand.Perm(blocks) {
		first := firstPort + block*blockSize
		if l, err := net.Listen("tcp", loopback(first)); err == nil {
			a.guards, a.owned = append(a.guards, l), append(a.owned, first)
			return true
		}
	}
	return false
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// free reports whether the port is unused, for TCP and for UDP.
func free(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer l.Close()
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
