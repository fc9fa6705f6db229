package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
)

// files lists the files of the data directory that match a pattern, in any
// depth, and are not empty.
func (n *node) files(pattern string) (files []string) {
	n.Helper()
	must(n, filepath.WalkDir(n.Data(), func(path string, d fs.DirEntry, err error) error {
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
	t.Parallel()
	damages := map[string]func(n *node){
		"no manifest":    func(n *node) { n.each("MANIFEST-*", os.Remove) },
		"empty manifest": func(n *node) { n.each("MANIFEST-*", func(f string) error { return os.Truncate(f, 0) }) },
		"no table":       func(n *node) { n.each("*.sst", os.Remove) },
		"empty table":    func(n *node) { n.each("*.sst", func(f string) error { return os.Truncate(f, 0) }) },
	}
	s := stock(t, (*node).stop)
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := s.copy(t)
			damage(c.node)
			c.refuses(1, []string{c.Data(), "damaged"})
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

// damage is one thing that happens to one file of the data directory.
type damage struct {
	file string // relative to the data directory
	what string
	do   func(content []byte) []byte
}

// TestDamageIsFoundOrHarmless cuts files at each boundary of 4 KiB and flips
// bytes anywhere. The node serves, with everything that was acknowledged, or it
// refuses to start or to answer, and says which file it is: it never serves as
// if something had not been.
func TestDamageIsFoundOrHarmless(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	ends := map[string]func(*node){"stopped": (*node).stop, "killed": (*node).killLater}
	for _, name := range slices.Sorted(maps.Keys(ends)) {
		s := stock(t, ends[name])
		cuts := s.cuts()
		random.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
		damages := append(cuts[:volume(min(len(cuts), 6), len(cuts))], s.flips(random, volume(12, 500))...)
		t.Run(name, func(t *testing.T) {
			tally := tally{counts: map[string]int{}}
			t.Run("damages", func(t *testing.T) {
				for _, d := range damages {
					t.Run(d.file+" "+d.what, func(t *testing.T) {
						t.Parallel()
						tally.add(d, s.after(t, d))
					})
				}
			})
			t.Logf("%d cuts and flips after the node was %s: %v", len(damages), name, tally.counts)
		})
	}
}

// killLater kills the node once its watermark has moved past everything that was
// acknowledged, which takes a second. What is newer than the watermark when a
// process is killed is only in the log, whose damaged end cannot be told from one
// that was being written.
func (n *node) killLater() {
	n.Helper()
	watermark := func() string {
		raw, err := os.ReadFile(filepath.Join(n.Data(), "watermark"))
		must(n, err)
		return string(raw)
	}
	before := watermark()
	must(n, n.mustApp("one").mint(n.Context(), newDevice("last"), "last viewer")) // so that it moves
	until(n, "the watermark moves", func() bool { return watermark() != before })
	n.Kill()
}

// tally counts how damages ended, for each file.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

// ending is what became of a node with a damaged file.
type ending string

const (
	endIntact   ending = "intact"   // everything acknowledged is there
	endRefused  ending = "refused"  // it did not start, or ended
	endWithheld ending = "withheld" // some calls were answered with 5xx
	endLost     ending = "lost"     // something acknowledged is not true
)

func (t *tally) add(d damage, e ending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[filepath.Base(d.file)+" "+string(e)]++
}

// cuts are the truncations of all files at each boundary of 4 KiB.
func (s *stocked) cuts() (cuts []damage) {
	s.Helper()
	for _, file := range s.damageable() {
		info, err := os.Stat(filepath.Join(s.Data(), file))
		must(s, err)
		for size := int64(0); size < info.Size(); size += 4 << 10 {
			cuts = append(cuts, damage{file, fmt.Sprintf("cut to %d of %d", size, info.Size()), func(content []byte) []byte { return content[:size] }})
		}
	}
	return cuts
}

// flips change one byte of a file each.
func (s *stocked) flips(random *rand.Rand, n int) (flips []damage) {
	s.Helper()
	files := s.damageable()
	for range n {
		file := files[random.IntN(len(files))]
		at, mask := random.Float64(), byte(1+random.IntN(255))
		flips = append(flips, damage{file, fmt.Sprintf("byte at %.4f changed by %02x", at, mask), func(content []byte) []byte {
			content[int(at*float64(len(content)))] ^= mask
			return content
		}})
	}
	return flips
}

// damageable are the files that hold something: all but the locks and the
// ballast, which is there to be given back.
func (s *stocked) damageable() (files []string) {
	s.Helper()
	for _, file := range s.files("*") {
		name, err := filepath.Rel(s.Data(), file)
		must(s, err)
		if name != "ballast" {
			files = append(files, name)
		}
	}
	return files
}

// after damages a copy of the directory, starts a node on it and asks for what
// was acknowledged.
func (s *stocked) after(t *testing.T, d damage) ending {
	t.Helper()
	c := s.copy(t)
	file := filepath.Join(c.Data(), d.file)
	content, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, d.do(content), 0o600))
	c.Launch()
	e := c.ending()
	kind, _, _ := strings.Cut(filepath.Base(d.file), "-") // MANIFEST-000007
	if said := c.Logged(); (e == endRefused || e == endWithheld) && !has(said, kind) {
		t.Errorf("%s: the log does not name the file:\n%s", e, ssodtest.Tail(said))
	}
	return e
}

// ending waits until the node serves or has refused to, and asks for every fact.
func (s *stocked) ending() ending {
	s.Helper()
	serves := false
	until(s, "the node serves or ends", func() bool {
		serves = s.Ready()
		return serves || s.Ended()
	})
	if !serves {
		return s.refusal()
	}
	e := endIntact
	for _, f := range s.facts() {
		err := f.check(s.Context())
		switch status, _ := refusal(err); {
		case err == nil:
		case status >= http.StatusInternalServerError:
			e = endWithheld
		case errors.Is(err, errLost):
			s.Errorf("lost: %s: %v", f.what, err)
			return endLost
		default: // the connection broke: the node has given up
			return s.refusal()
		}
	}
	return e
}

// refusal checks how the node ended: by itself, and without a stack trace.
func (s *stocked) refusal() ending {
	s.Helper()
	select {
	case <-s.Process.Exited():
	case <-time.After(2 * time.Minute):
		s.Fatalf("the node neither serves nor ends:\n%s", ssodtest.Tail(s.Logged()))
	}
	if code := s.Process.ExitCode(); code != 1 || has(s.Logged(), "goroutine 1 [") {
		s.Errorf("exit status %d, want 1 and a message:\n%s", code, ssodtest.Tail(s.Logged()))
	}
	return endRefused
}
