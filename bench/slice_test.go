package main

import (
	"os"
	"testing"
	"time"

	"ssod/bench/loadgen"
)

// TestMain lets the test binary be the floor, as ssobench is in a run.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "floor" {
		main()
		return
	}
	os.Exit(m.Run())
}

// smallRun is a run command that ends in a moment.
func smallRun() *runCommand {
	return &runCommand{
		Connections: 8, Realms: 2, Clients: 2, Members: 2000, Rounds: 2,
		Slice: 60 * time.Millisecond, Warm: 2 * time.Millisecond, OpenFor: 100 * time.Millisecond,
	}
}

// TestFloorServesAsItsOwnProcess drives the yardstick the way a run does.
func TestFloorServesAsItsOwnProcess(t *testing.T) {
	p, addr, err := startFloor()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{runCommand: smallRun()}
	if err := b.foundFloor(); err != nil {
		t.Fatal(err)
	}
	for _, src := range []loadgen.Source{
		&refresher{members: b.floorMembers, chain: true},
		&minter{clients: b.floorClients, name: "floor", keep: true},
	} {
		got, err := b.closed(single(addr, p), src)
		if err != nil || got.Requests == 0 || got.clientCPU == 0 {
			t.Errorf("%T on the floor: got %d requests, %v of client CPU, %v", src, got.Requests, got.clientCPU, err)
		}
	}
}
