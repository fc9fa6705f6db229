package entitlement_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"ssod/httpfront/fronttest"
)

// nobodys are codes that no session has, but with the chance of one in many
// million.
func nobodys(i int) string { return fmt.Sprintf("ZZZZ%c%c%c", 'A'+i/64%8, 'A'+i/8%8, 'A'+i%8) }

// TestAnAddressRunsOutOfGuesses: all calls that read a code share one budget, and
// when it is spent, a code that is live is not told from one that nobody has.
func TestAnAddressRunsOutOfGuesses(t *testing.T) {
	a := start(t, realms)
	const guesser, neighbour = "192.0.2.1", "192.0.2.2"
	live := a.code("tv", "cable", "X-Forwarded-For", guesser)
	resume := a.call("POST", "sessions/", "").With("Content-Type", "application/x-www-form-urlencoded")
	ask := []func(address, code string) fronttest.Answer{
		func(address, code string) fronttest.Answer {
			return a.do(a.call("GET", "profiles/code/"+code, "", "X-Forwarded-For", address))
		},
		func(address, code string) fronttest.Answer {
			return a.do(a.call("GET", "sessions/"+code, "", "X-Forwarded-For", address))
		},
		func(address, code string) fronttest.Answer {
			c := resume.With("X-Forwarded-For", address)
			c.Path += code
			return a.do(c)
		},
		func(address, code string) fronttest.Answer {
			return a.browserAt(address).visit("/api/v2/authenticate/STREAM1/"+code, nil)
		},
	}
	for i := range 60 {
		if r := ask[i%len(ask)](guesser, nobodys(i)); r.StatusCode != http.StatusBadRequest {
			t.Fatalf("guess %d: %d %s", i, r.StatusCode, r.Raw)
		}
	}
	for i, ask := range ask {
		for _, code := range []string{nobodys(100), live} {
			r := ask(guesser, code)
			after, err := strconv.Atoi(r.Header.Get("Retry-After"))
			if r.StatusCode != http.StatusTooManyRequests || err != nil || after < 1 || after > 900 {
				t.Errorf("call %d: %d, Retry-After %q", i, r.StatusCode, r.Header.Get("Retry-After"))
			}
		}
		if r := ask(guesser, nobodys(i)); r.StatusCode != http.StatusBadRequest {
			t.Errorf("call %d for a code that it polled before: %d", i, r.StatusCode)
		}
		if r := ask(neighbour, live); r.StatusCode/100 != 2 && r.StatusCode != http.StatusFound {
			t.Errorf("call %d of a neighbour: %d %s", i, r.StatusCode, r.Raw)
		}
	}
	a.node.Sleep(15 * time.Minute)
	if r := ask[0](guesser, live); r.StatusCode != http.StatusOK {
		t.Errorf("a quarter of an hour later: %d %s", r.StatusCode, r.Raw)
	}
}

// TestGuessingAtOnceTellsNoMore than guessing one by one does.
func TestGuessingAtOnceTellsNoMore(t *testing.T) {
	a := start(t, realms)
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		count = map[int]int{}
	)
	for i := range 300 {
		all.Go(func() {
			status := a.do(a.call("GET", "sessions/"+nobodys(i), "", "X-Forwarded-For", "192.0.2.1")).StatusCode
			mu.Lock()
			defer mu.Unlock()
			count[status]++
		})
	}
	all.Wait()
	a.same("answers", fmt.Sprint(count), "map[400:60 429:240]")
}
