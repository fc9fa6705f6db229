package main

import (
	"bytes"
	"os"
	"regexp"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain makes the test program a node when a test starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv(asNode) != "" {
		exit(runNode(os.Stdin, os.Stdout))
	}
	goleak.VerifyTestMain(m)
}

// TestARunShowsEveryPhase on three small nodes.
func TestARunShowsEveryPhase(t *testing.T) {
	c := cli{
		Proposers: 16, Size: 100, Shards: 6, Dir: t.TempDir(), Profile: t.TempDir(),
		Warm: 50 * time.Millisecond, Duration: 200 * time.Millisecond, SlowFsync: 20 * time.Millisecond,
	}
	var out bytes.Buffer
	if err := c.run(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`(?m)^6 shards, 16 proposers, 100 bytes, TLS true$`,
		`(?m)^idle: 200ms, [0-9.]+ cores, at most [1-9][0-9]* goroutines and [1-9][0-9]* MiB per node, `,
		`(?m)^load: .*\n  commits +[1-9][0-9]*/s .* us CPU each$`,
		`(?m)^reads: .*\n  reads +[1-9][0-9]*/s .* us CPU each$`,
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
