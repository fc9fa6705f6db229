package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
	"ssod/httpfront/client"
)

const plainConfig = guessConfig

// refuses checks that a start ends with a status and a message with all words.
func (n *node) refuses(status int, words []string, more ...string) {
	n.Helper()
	got := n.fails(more...)
	if got.status != status || !has(got.log, words...) {
		n.Errorf("start: got status %d and\n%swant status %d and the words %q", got.status, ssodtest.Tail(got.log), status, words)
	}
	if has(got.log, "panic:") || has(got.log, "goroutine 1 [") {
		n.Errorf("start: a stack trace instead of a message:\n%s", ssodtest.Tail(got.log))
	}
}

func TestASecondProcessOnTheDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	first := startNode(t, plainConfig)
	host := newDevice("host")
	a := first.mustApp("one")
	must(t, a.mint(t.Context(), host, "viewer"))
	second := newNode(t, plainConfig)
	second.refuses(1, []string{first.Data(), "in use"}, "--data", first.Data())
	must(t, a.refresh(t.Context(), host)) // the first one does not mind
}

func TestAnotherNodeNameIsRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, plainConfig)
	n.Start("--node", "alpha")
	n.Kill()
	n.refuses(2, []string{"alpha", "beta"}, "--node", "beta")
	n.Start("--node", "alpha")
	n.Kill()
	n.Start() // the name is kept in the directory
}

func TestAReadOnlyDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, plainConfig)
	n.Mount = "ro,size=1m"
	n.refuses(1, []string{n.Data(), "cannot be written"})
}

func TestAFileInPlaceOfTheDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	n := newNode(t, plainConfig)
	must(t, os.WriteFile(n.Data(), []byte("a file"), 0o600))
	n.refuses(1, []string{n.Data()})
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
	n.Mount = "size=640m"
	n.Start()
	a, host := n.mustApp("one"), newDevice("host")
	must(t, a.mint(t.Context(), host, "viewer"))

	viewers := 0
	mint := func() error { // always somebody new, so that it is a change
		viewers++
		return a.mint(t.Context(), newDevice("x"), fmt.Sprintf("viewer %d", viewers))
	}
	filler := n.SeenBy(filepath.Join(n.Data(), "filler"))
	must(t, os.WriteFile(filler, bytes.Repeat([]byte{1}, 400<<20), 0o600))
	until(t, "changes are refused", func() bool { return mint() != nil })
	err := mint()
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Code != "service_unavailable" || e.RetryAfter == 0 {
		t.Fatalf("a change below the reserve: got %v, want service_unavailable with Retry-After", err)
	}
	must(t, a.refresh(t.Context(), host))
	_, err = a.list(t.Context(), host)
	must(t, err)

	must(t, os.Remove(filler))
	began := time.Now()
	until(t, "changes go on", func() bool { return mint() == nil })
	took := time.Since(began)
	t.Logf("changes went on %v after there was room", took)
	if ssodtest.Long() && took > 5*time.Second {
		t.Error("want at most 5 s")
	}
}

// stop lets the process finish.
func (n *node) stop() {
	n.Helper()
	if err := n.Process.Stop(2 * time.Minute); err != nil {
		n.Fatalf("stop: %v", err)
	}
	n.Kill()
}
