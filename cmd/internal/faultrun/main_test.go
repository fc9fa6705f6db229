package faultrun

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	// What the programs are made of: a result in the cache of go test must not
	// outlive them.
	_ "ssod/cmd/internal/node"
)

func TestMain(m *testing.M) {
	code := Main(m)
	if err := goleak.Find(clientCleaners()...); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// clientCleaners are goroutines that fasthttp's clients leave behind for as long
// as they have idle connections, and one for ever.
func clientCleaners() []goleak.Option {
	const fasthttp = "github.com/valyala/fasthttp."
	return []goleak.Option{
		goleak.IgnoreAnyFunction(fasthttp + "(*HostClient).connsCleaner"),
		goleak.IgnoreAnyFunction(fasthttp + "(*TCPDialer).tcpAddrsClean"),
	}
}
