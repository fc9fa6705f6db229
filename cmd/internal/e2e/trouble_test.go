package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const plainConfig = guessConfig

// refuses checks that a start ends with a status and a message with all words.
func (n *node) refuses(status int, words []string, more ...string) {
	n.Helper()
	got := n.fails(more...)
	if got.status != status || !has(got.log, words...) {
		n.Errorf("start: got status %d and\n%swant status %d and the words %q", got.status, tail(got.log, 2<<10), status, words)
	}
	if has(got.log, "panic:") || has(got.log, "goroutine 1 [") {
		n.Errorf("start: a stack trace instead of a message:\n%s", tail(got.log, 2<<10))
	}
}

func TestASecondProcessOnTheDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	first := startNode(t, plainConfig)
	host := newDevice("host")
	a := first.mustApp("one")
	must(t, a.mint(t.Context(), host, "viewer"))
	second := newNode(t, plainConfig)
	second.refuses(1, []string{first.data(), "in use"}, "--data", first.data())
	must(t, a.refresh(t.Context(), host)) // the first one does not mind
}

func TestAnotherNodeNameIsRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, plainConfig)
	n.start("--node", "alpha")
	n.kill()
	n.refuses(2, []string{"alpha", "beta"}, "--node", "beta")
	n.start("--node", "alpha")
	n.kill()
	n.start() // the name is kept in the directory
}

func TestAReadOnlyDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, plainConfig)
	n.mount = "ro,size=1m"
	n.refuses(1, []string{n.data(), "cannot be written"})
}

func TestAFileInPlaceOfTheDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, plainConfig)
	must(t, os.WriteFile(n.data(), []byte("a file"), 0o600))
	n.refuses(1, []string{n.data()})
}

func TestWrongFlagsAndConfigurationEndWithStatus2(t *testing.T) {
	t.Parallel()
	newNode(t, plainConfig).refuses(2, []string{"--no-such-flag"}, "--no-such-flag")
	newNode(t, "realms: []\nspeling: 1\n").refuses(2, []string{"speling", "ssod.yaml:2"})
	newNode(t, plainConfig).refuses(2, []string{"admin"}, "--admin", "0.0.0.0:0")
}

// TestBelowTheReserveReadsGoOn fills a small disk until less than the reserve
// is free: refresh and list are answered, changes are refused and may be
// repeated, and when there is room again they go through.
func TestBelowTheReserveReadsGoOn(t *testing.T) {
	t.Parallel()
	n := newNode(t, plainConfig)
	n.mount = "size=640m"
	n.start()
	a, host := n.mustApp("one"), newDevice("host")
	must(t, a.mint(t.Context(), host, "viewer"))

	viewers := 0
	mint := func() error { // always somebody new, so that it is a change
		viewers++
		return a.mint(t.Context(), newDevice("x"), fmt.Sprintf("viewer %d", viewers))
	}
	filler := n.seenBy(filepath.Join(n.data(), "filler"))
	must(t, os.WriteFile(filler, bytes.Repeat([]byte{1}, 400<<20), 0o600))
	until(t, "changes are refused", func() bool { return mint() != nil })
	var refusal *statusError
	if err := mint(); !errors.As(err, &refusal) || refusal.code() != "service_unavailable" || refusal.got.Headers.Get("Retry-After") == "" {
		t.Fatalf("a change below the reserve: got %v, want service_unavailable with Retry-After", err)
	}
	must(t, a.refresh(t.Context(), host))
	_, err := a.list(t.Context(), host)
	must(t, err)

	must(t, os.Remove(filler))
	began := time.Now()
	until(t, "changes go on", func() bool { return mint() == nil })
	took := time.Since(began)
	t.Logf("changes went on %v after there was room", took)
	if long() && took > 5*time.Second {
		t.Error("want at most 5 s")
	}
}

// stop lets the process finish.
func (n *node) stop() {
	n.Helper()
	if err := n.process.Stop(2 * time.Minute); err != nil {
		n.Fatalf("stop: %v", err)
	}
	n.kill()
}
