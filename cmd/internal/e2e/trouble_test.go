package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
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
	first := startNode(t, plainConfig)
	host := newDevice("host")
	a := first.mustApp("one")
	must(t, a.mint(t.Context(), host, "viewer"))
	second := newNode(t, plainConfig)
	second.refuses(1, []string{first.data(), "in use"}, "--data", first.data())
	must(t, a.refresh(t.Context(), host)) // the first one does not mind
}

func TestAnotherNodeNameIsRefused(t *testing.T) {
	n := newNode(t, plainConfig)
	n.start("--node", "alpha")
	n.kill()
	n.refuses(2, []string{"alpha", "beta"}, "--node", "beta")
	n.start("--node", "alpha")
	n.kill()
	n.start() // the name is kept in the directory
}

func TestAReadOnlyDirectoryIsRefused(t *testing.T) {
	n := newNode(t, plainConfig)
	n.mount = "ro,size=1m"
	n.refuses(1, []string{n.data(), "cannot be written"})
}

func TestAFileInPlaceOfTheDirectoryIsRefused(t *testing.T) {
	n := newNode(t, plainConfig)
	must(t, os.WriteFile(n.data(), []byte("a file"), 0o600))
	n.refuses(1, []string{n.data()})
}

func TestWrongFlagsAndConfigurationEndWithStatus2(t *testing.T) {
	newNode(t, plainConfig).refuses(2, []string{"--no-such-flag"}, "--no-such-flag")
	newNode(t, "realms: []\nspeling: 1\n").refuses(2, []string{"speling", "ssod.yaml:2"})
	newNode(t, plainConfig).refuses(2, []string{"admin"}, "--admin", "0.0.0.0:0")
}

// TestBelowTheReserveReadsGoOn fills a small disk until less than the reserve
// is free: refresh and list are answered, changes are refused and may be
// repeated, and when there is room again they go through.
func TestBelowTheReserveReadsGoOn(t *testing.T) {
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
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("changes went on %v after there was room, want at most 5 s", took)
	}
}

// stocked is a node that was stopped and has data in sorted tables and in its
// log: a host, a guest that is a member and one that was unlinked.
type stocked struct {
	*app
	host, guest, gone *device
}

func stock(t *testing.T) *stocked {
	t.Helper()
	n := startNode(t, plainConfig)
	s := &stocked{app: n.mustApp("one"), host: newDevice("host"), guest: newDevice("guest"), gone: newDevice("gone")}
	must(t, s.mint(t.Context(), s.host, "viewer"))
	for _, d := range []*device{s.guest, s.gone} {
		code, err := s.link(t.Context(), s.host)
		must(t, err)
		must(t, s.redeem(t.Context(), d, code))
	}
	s.stop()
	n.start() // moves what the log holds into tables
	removed, err := s.unlink(t.Context(), s.host, s.gone.id)
	if err != nil || len(removed) != 1 {
		t.Fatalf("unlink: %q %v", removed, err)
	}
	s.stop()
	return s
}

// stop lets the process finish.
func (n *node) stop() {
	n.Helper()
	if err := n.process.Stop(20 * time.Second); err != nil {
		n.Fatalf("stop: %v", err)
	}
	n.kill()
}

// files lists the files of the data directory that match a pattern, in any
// depth, and are not empty.
func (n *node) files(pattern string) (files []string) {
	n.Helper()
	must(n, filepath.WalkDir(n.data(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if ok, _ := filepath.Match(pattern, d.Name()); ok && err == nil && info.Size() > 0 {
			files = append(files, path)
		}
		return err
	}))
	return files
}

// TestADamagedDirectoryIsRefused breaks the store in ways that are found when
// it is opened.
func TestADamagedDirectoryIsRefused(t *testing.T) {
	damages := map[string]func(n *node){
		"no manifest":    func(n *node) { n.each("MANIFEST-*", os.Remove) },
		"empty manifest": func(n *node) { n.each("MANIFEST-*", func(f string) error { return os.Truncate(f, 0) }) },
		"no table":       func(n *node) { n.each("*.sst", os.Remove) },
		"empty table":    func(n *node) { n.each("*.sst", func(f string) error { return os.Truncate(f, 0) }) },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stock(t)
			damage(s.node)
			s.refuses(1, []string{s.data(), "damaged"})
		})
	}
}

// each applies f to the files that match a pattern; there must be one.
func (n *node) each(pattern string, f func(file string) error) {
	n.Helper()
	files := n.files(pattern)
	if len(files) == 0 {
		n.Fatalf("the data directory has no file %s", pattern)
	}
	for _, file := range files {
		must(n, f(file))
	}
}

// TestDamagedBytesNeverAdmitAnybody flips bytes anywhere in the store. Whether
// that is found when the store is opened, when the record is read or never
// (it was not in use), nobody who was unlinked gets in and nobody is told
// something else than what was acknowledged.
func TestDamagedBytesNeverAdmitAnybody(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for i := range volume(8, 200) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := stock(t)
			damaged := s.flip(rand.New(rand.NewPCG(seed, uint64(i))))
			s.launch()
			if err := s.ready(); err != nil {
				if code := s.process.ExitCode(); code != 1 {
					t.Errorf("%s: exit status %d, want 1", damaged, code)
				}
				return
			}
			s.tellsTheTruth(damaged)
		})
	}
}

// flip changes some bytes of one file and names it.
func (s *stocked) flip(random *rand.Rand) string {
	s.Helper()
	files := s.files("*")
	file := files[random.IntN(len(files))]
	raw, err := os.ReadFile(file)
	must(s, err)
	for range 8 {
		raw[random.IntN(len(raw))] ^= byte(1 + random.IntN(255))
	}
	must(s, os.WriteFile(file, raw, 0o600))
	return filepath.Base(file)
}

// tellsTheTruth asks a node about its stock. Answers may fail with 5xx, but
// they may not be wrong.
func (s *stocked) tellsTheTruth(damaged string) {
	s.Helper()
	ctx := s.Context()
	answer, err := s.send(ctx, "GET", "serviceToken", s.gone, nil)
	if err == nil && answer.Status == http.StatusOK {
		s.Errorf("%s: an unlinked device refreshed its token", damaged)
	}
	answer, err = s.send(ctx, "GET", "list", s.host, nil)
	if err == nil && answer.Status == http.StatusOK &&
		(!bytes.Contains(answer.Body, []byte(s.guest.id)) || bytes.Contains(answer.Body, []byte(s.gone.id))) {
		s.Errorf("%s: the list is wrong: %s", damaged, answer.Body)
	}
}
