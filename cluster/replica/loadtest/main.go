package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"
)

type cli struct {
	Proposers int           `default:"512" help:"Commits in flight, over all nodes."`
	Size      int           `default:"512" help:"Bytes of state per commit."`
	Shards    int           `default:"64" help:"Shards beside the meta shard."`
	Duration  time.Duration `default:"10s" help:"Length of each phase."`
	Warm      time.Duration `default:"3s" help:"Load before a phase is measured."`
	SlowFsync time.Duration `help:"Adds the phase in which every fsync of node 3 takes so long."`
	Plain     bool          `help:"No TLS between the nodes."`
	Dir       string        `help:"Where the stores go; a temporary directory by default." type:"existingdir"`
	Profile   string        `help:"Directory for CPU profiles of each phase and node." type:"existingdir"`
}

// slowPhase is the phase with the slow disk.
const slowPhase = "slow"

// readPause is between two barriers of a reader beside other load.
const readPause = 20 * time.Millisecond

func main() {
	if os.Getenv(asNode) != "" {
		exit(runNode(os.Stdin, os.Stdout))
	}
	var c cli
	kong.Parse(&c, kong.Name("loadtest"), kong.Description("Measures the replication engine on three processes of this machine."))
	exit(c.run(os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (c *cli) run(out io.Writer) (err error) {
	dir, err := os.MkdirTemp(c.Dir, "loadtest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	t, err := startTrio(setup{Dir: dir, Shards: c.Shards, Profile: c.Profile}, c.Plain)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	fmt.Fprintf(out, "%d shards, %d proposers, %d bytes, TLS %v\n", c.Shards, c.Proposers, c.Size, !c.Plain)
	for _, o := range c.phases() {
		m := measured{order: o}
		m.nodes, err = t.each(o.at)
		if err != nil {
			return err
		}
		m.write(out)
	}
	return nil
}

// at is the order for one node: only the last one's disk is slow.
func (o order) at(i int) order {
	if i != nodes-1 {
		o.Slow = 0
	}
	return o
}

func (c *cli) phases() []order {
	load := order{Phase: "load", Warm: c.Warm, For: c.Duration, Proposers: c.Proposers, Size: c.Size}
	all := []order{
		{Phase: "idle", Warm: c.Warm, For: c.Duration},
		load,
		{Phase: "reads", Warm: c.Warm, For: c.Duration, Readers: c.Proposers},
	}
	if c.SlowFsync == 0 {
		return all
	}
	// Without and with the slow disk, to compare.
	load.Readers, load.Pause = c.Shards, readPause
	load.Phase = "load and a few reads"
	slow := load
	slow.Phase, slow.Slow = slowPhase, c.SlowFsync
	return append(all, load, slow)
}
