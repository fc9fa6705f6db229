package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain makes the test program a node when a test starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv(asNode) != "" {
		exit(runNode(ordersFor(os.Stdin), os.Stdout))
	}
	goleak.VerifyTestMain(m)
}

// olderNode in the environment makes the nodes those of a build that does not know
// fresh orders.
const olderNode = "LOADTEST_OLDER"

func ordersFor(in io.Reader) io.Reader {
	if os.Getenv(olderNode) == "" {
		return in
	}
	r, w := io.Pipe()
	go func() {
		orders := json.NewDecoder(in)
		for {
			var o map[string]any
			if err := orders.Decode(&o); err != nil {
				w.CloseWithError(err)
				return
			}
			delete(o, "Fresh")
			if err := json.NewEncoder(w).Encode(o); err != nil {
				return
			}
		}
	}()
	return r
}

// TestARunShowsEveryPhase on three small nodes.
func TestARunShowsEveryPhase(t *testing.T) {
	c := cli{
		Proposers: []int{16}, Size: 100, Shards: 6, Dir: t.TempDir(), Profile: t.TempDir(),
		Warm: 50 * time.Millisecond, Duration: 200 * time.Millisecond, SlowFsync: 20 * time.Millisecond,
	}
	var out bytes.Buffer
	if err := c.run(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`(?m)^6 shards, 100 bytes, TLS true$`,
		`(?m)^idle: 200ms, [0-9.]+ cores, at most [1-9][0-9]* goroutines and [1-9][0-9]* MiB per node, `,
		`(?m)^load-16: .*\n  commits +[1-9][0-9]*/s .* us CPU each\n  each: fsyncs [0-9.]+ entries [0-9.]+ .* allocations [0-9.]+ `,
		`(?m)^reads-16: .*\n  reads +[1-9][0-9]*/s .* us CPU each$`,
		`(?m)^slow: .*\n  commits +[1-9].*\n  reads +[1-9].*\n  commits led by n1 .*\n  reads led by n1 `,
	} {
		if !regexp.MustCompile(want).Match(out.Bytes()) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	profiles, err := os.ReadDir(c.Profile)
	if err != nil || len(profiles) != nodes*len(c.phases()) {
		t.Errorf("%d profiles, want %d: %v", len(profiles), nodes*len(c.phases()), err)
	}
	left, err := os.ReadDir(c.Dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestBuildsAreComparedInTurn: here a build with itself and with the floor, under
// loads of a moment whose figures say nothing.
func TestBuildsAreComparedInTurn(t *testing.T) {
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	small := cli{
		Proposers: []int{16}, Size: 100, Shards: 3, Pairs: 1, Others: 100,
		Slice: 100 * time.Millisecond, Settle: 20 * time.Millisecond,
	}
	against, fresh, reads, floor := small, small, small, small
	against.Against, fresh.Against, reads.Against = this, this, this
	fresh.Fresh, fresh.Plain, reads.Reads, floor.Floor = true, true, true, true
	for _, tt := range []struct {
		cli  cli
		what string
	}{
		{against, "commits of 16 callers"},
		{fresh, "commits of 16 callers that found entities"},
		{reads, "barriers of 16 callers"},
		{floor, "commits of 16 callers"},
	} {
		tt.cli.Dir = t.TempDir()
		var out bytes.Buffer
		if err := tt.cli.run(&out); err != nil {
			t.Fatal(tt.what, err)
		}
		row := regexp.QuoteMeta(tt.what) + `: CPU of each (not measured|[0-9.]+ of 1 pairs, too few for an interval)`
		for _, want := range []string{row, `CPU us each +[0-9.]+ +[0-9.]+\n`, `waits of threads each +[0-9.]+ +[0-9.]+\n`, `allocations each +[0-9.]+ +[0-9.]+\n`} {
			if !regexp.MustCompile(want).Match(out.Bytes()) {
				t.Errorf("no %s in\n%s", want, out.String())
			}
		}
	}
}

// TestABuildThatFoundsNothingIsNotCompared by commits that found entities.
func TestABuildThatFoundsNothingIsNotCompared(t *testing.T) {
	t.Setenv(olderNode, "1")
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := cli{
		Proposers: []int{16}, Size: 100, Shards: 3, Pairs: 5, Others: 100, Fresh: true, Against: this, Dir: t.TempDir(),
		Slice: 200 * time.Millisecond, Settle: 20 * time.Millisecond,
	}
	if err := c.run(io.Discard); !errors.Is(err, errNoFresh) {
		t.Errorf("got %v, want %v", err, errNoFresh)
	}
}

// TestAPartThatAnOlderBuildDoesNotCountIsADash, and not a zero.
func TestAPartThatAnOlderBuildDoesNotCountIsADash(t *testing.T) {
	this, other := newTally(), newTally()
	this.calls, this.counts = 4, map[string]int64{"entries": 6, "fsyncs": 2}
	other.calls, other.counts = 2, map[string]int64{"fsyncs": 3}
	var out bytes.Buffer
	writeTallies(&out, &this, &other)
	for _, want := range []string{`entries each +1.500 +-\n`, `fsyncs each +0.500 +1.500\n`} {
		if !regexp.MustCompile(want).Match(out.Bytes()) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

func TestARowIsJudgedByItsMark(t *testing.T) {
	for _, tt := range []struct {
		o     order
		floor bool
		ratio float64
		want  string
	}{
		{order{Proposers: 64}, false, 0.60, ", mark <= 0.60: PASS"},
		{order{Proposers: 512}, false, 0.66, ", mark <= 0.65: FAIL"},
		{order{Proposers: 512, Fresh: true}, false, 0.66, ", mark <= 0.80: PASS"},
		{order{Proposers: 512}, false, math.NaN(), ", mark <= 0.65: not measured"},
		{order{Proposers: 1536}, false, 9, ""},
		{order{Readers: 512}, false, 9, ""},
		{order{Proposers: 512}, true, 3, ""},
	} {
		d := duel{cli: &cli{Floor: tt.floor}}
		if got := d.verdict(tt.o, tt.ratio); got != tt.want {
			t.Errorf("%+v at %v: got %q, want %q", tt.o, tt.ratio, got, tt.want)
		}
	}
}
