package httpfront

import (
	"io"
	"net"
	"os"
	"runtime"
	"testing"

	"ssod/httpfront/wire"
)

// TestManySlowClients: connections that send half a request, or nothing, cost
// little while they last and nothing afterwards. SSOD_LONG makes
// it ten thousand.
func TestManySlowClients(t *testing.T) {
	n := 1000
	if os.Getenv("SSOD_LONG") != "" {
		n = 10_000
	}
	s := startTest(t, func(o *Options) { o.Limits = wire.DefaultLimits })
	before := memory()
	clients := make([]net.Conn, n)
	for i := range clients {
		c, err := net.Dial("tcp", s.Address().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if clients[i] = c; i%2 == 0 {
			io.WriteString(c, "POST /api/tv/unlink HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n{")
		}
	}
	eventually(t, "all are connected", func() bool { return s.Connections() == n })
	if each := (memory() - before) / n; each > 24<<10 {
		t.Errorf("a slow client costs %d bytes, want at most 24 KiB", each)
	}
	if a := ask(t, s, "GET", "/api/tv/list"); a.status != 200 {
		t.Errorf("an honest client among them: %d", a.status)
	}
	for _, c := range clients {
		c.Close()
	}
	eventually(t, "all are gone", func() bool { return s.Connections() == 0 })
}

// memory is what the process holds: heap and stacks in use.
func memory() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}
