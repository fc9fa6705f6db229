package loadgen

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// counter asks for /N and expects N back.
type counter struct {
	limit, sent int
	answered    map[int]bool
}

func (c *counter) Next(buf []byte) ([]byte, int, bool) {
	if c.sent == c.limit {
		return buf, 0, false
	}
	c.sent++
	return fmt.Appendf(buf, "GET /%d HTTP/1.1\r\nHost: test\r\n\r\n", c.sent), c.sent, true
}

func (c *counter) Answer(tag, status int, body []byte) bool {
	c.answered[tag] = true
	return status == http.StatusOK && string(body) == fmt.Sprintf("/%d", tag)
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func dial(t *testing.T, addr string, n int) *Loop {
	t.Helper()
	loop, err := Dial(n, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := loop.Close(); err != nil {
			t.Error(err)
		}
	})
	return loop
}

func echo(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }

func TestClosedAnswersEveryRequestOnce(t *testing.T) {
	loop := dial(t, serve(t, echo), 8)
	src := &counter{limit: 500, answered: map[int]bool{}}
	got, err := loop.Closed(src, Window{Measure: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if len(src.answered) != 500 || got.Errors != 0 {
		t.Fatalf("closed: %d of 500 answered, %d errors", len(src.answered), got.Errors)
	}
	if got.Requests == 0 || got.Rate() == 0 || got.Latency.TotalCount() != int64(got.Requests) {
		t.Fatalf("closed: counted %d, rate %v, %d latencies", got.Requests, got.Rate(), got.Latency.TotalCount())
	}
}

func TestClosedCountsOnlyTheWindow(t *testing.T) {
	loop := dial(t, serve(t, echo), 2)
	begun, ended := 0, 0
	src := &counter{limit: -1, answered: map[int]bool{}}
	got, err := loop.Closed(src, Window{
		Warm: 20 * time.Millisecond, Measure: 50 * time.Millisecond,
		Begin: func() { begun++ }, End: func() { ended++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	if begun != 1 || ended != 1 {
		t.Fatalf("window edges: begun %d, ended %d, want 1 and 1", begun, ended)
	}
	if got.Requests >= src.sent || got.Elapsed < 50*time.Millisecond {
		t.Fatalf("closed: counted %d of %d in %v, want fewer than sent", got.Requests, src.sent, got.Elapsed)
	}
}

// TestAWindowWaitsForItsLeastAnswers on a machine that had no time for them, unless
// there will be no more.
func TestAWindowWaitsForItsLeastAnswers(t *testing.T) {
	for limit, want := range map[int]int{-1: 50, 20: 20} {
		loop := dial(t, serve(t, echo), 2)
		got, err := loop.Closed(&counter{limit: limit, answered: map[int]bool{}}, Window{Measure: time.Nanosecond, Least: 50})
		if err != nil || got.Requests < want-2 || limit > 0 && got.Requests > want {
			t.Errorf("of %d requests: counted %d, %v, want %d", limit, got.Requests, err, want)
		}
	}
}

func TestClosedCountsRefusedAnswers(t *testing.T) {
	loop := dial(t, serve(t, func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }), 2)
	got, err := loop.Closed(&counter{limit: 20, answered: map[int]bool{}}, Window{Measure: time.Minute})
	if err != nil || got.Requests != 0 || got.Errors != 20 || got.Rate() != 0 {
		t.Fatalf("closed: %+v %v, want every answer an error", got, err)
	}
}

func TestClosedReportsALostConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	loop := dial(t, listener.Addr().String(), 1)
	if _, err := loop.Closed(&counter{limit: 1, answered: map[int]bool{}}, Window{Measure: time.Minute}); err == nil {
		t.Fatal("closed on a connection that the server closed: got no error")
	}
}

// TestOpenCountsFromTheIntendedStart is the reason to have an open loop: the
// server stalls once, and everybody who should have come meanwhile has waited.
func TestOpenCountsFromTheIntendedStart(t *testing.T) {
	const stall = 200 * time.Millisecond
	var served atomic.Int32
	loop := dial(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) == 10 {
			<-time.After(stall)
		}
		echo(w, r)
	}), 1)
	every := 10 * time.Millisecond
	next := time.Duration(0)
	arrivals := func() time.Duration { next += every; return next }
	got, err := loop.Open(&counter{limit: -1, answered: map[int]bool{}}, arrivals, Window{Measure: time.Second, Least: 80})
	if err != nil {
		t.Fatal(err)
	}
	// About 20 of 100 arrivals fall into the stall and wait 100 ms on average.
	if late := time.Duration(got.Latency.ValueAtQuantile(90)); late < stall/4 {
		t.Fatalf("open: p90 %v after a stall of %v on the only connection, want at least %v", late, stall, stall/4)
	}
	if got.Requests < 80 {
		t.Fatalf("open: %d requests in 1 s at one per %v", got.Requests, every)
	}
}
