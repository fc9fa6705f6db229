package target

import (
	"slices"
	"testing"
)

func TestAnOlderProgramGetsTheFlagsThatItKnows(t *testing.T) {
	const help = "Flags:\n  -h, --help      Show help.\n      --data=DIR   Store.\n      --raft=ADDR  Replication (--cache).\n"
	got := inHelp(help, []string{"--data", "d", "--raft", "r", "--cache", "1", "--raf", "x"})
	if want := []string{"--data", "d", "--raft", "r"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
