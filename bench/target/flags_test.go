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

func TestANodeAloneGetsNoAddressesForOthers(t *testing.T) {
	const flags = "      --data=DIR   Store.\n      --raft=ADDR  Replication.\n      --cluster-secret=FILE "
	const today, older = flags + "Without it the\n            node is alone and\n            opens no port for others.", flags + "Keys."
	alone, member := []string{"--data", "d"}, []string{"--data", "d", secretFlag, "s"}
	peers := []string{"--raft", "r"}
	for name, tt := range map[string]struct {
		help string
		args []string
		want bool
	}{
		"today, alone": {today, alone, false}, "today, in a cluster": {today, member, true},
		"older, alone": {older, alone, true}, "older, in a cluster": {older, member, true},
	} {
		if got := slices.Contains(choose(tt.help, tt.args, peers), "--raft"); got != tt.want {
			t.Errorf("%s: has addresses for others: %v, want %v", name, got, tt.want)
		}
	}
}
