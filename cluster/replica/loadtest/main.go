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
	Proposers []int         `default:"64,512,1536" help:"Commits in flight, over all nodes; one row for each number."`
	Size      int           `default:"512" help:"Bytes of state per commit."`
	Shards    int           `default:"64" help:"Shards besides the meta shard."`
	Fresh     bool          `help:"Every commit founds an entity."`
	Duration  time.Duration `default:"10s" help:"Length of each phase."`
	Warm      time.Duration `default:"3s" help:"Load before a phase is measured."`
	SlowFsync time.Duration `help:"Adds the phase in which every fsync of node 3 takes so long."`
	Plain     bool          `help:"No TLS between the nodes."`
	Dir       string        `help:"Where the stores go; a temporary directory by default." type:"existingdir"`
	Profile   string        `help:"Directory for CPU profiles of each phase and node, unless builds are compared." type:"existingdir"`

	Against string        `help:"Compare with the loadtest of another build, such as an older one, in turn." type:"existingfile" placeholder:"BINARY" xor:"other"`
	Floor   bool          `help:"Compare with what the hardware asks for: batches, checksums, synced writes, TLS to two others." xor:"other"`
	Reads   bool          `help:"Compare barriers instead of commits."`
	Pairs   int           `default:"15" help:"Pairs of slices per row of a comparison."`
	Slice   time.Duration `default:"2s" help:"Measured time of a slice."`
	Settle  time.Duration `default:"300ms" help:"Load before a slice is measured."`
	Others  float64       `default:"10" help:"Drop pairs in which other processes had more of the machine, in percent."`
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
	if c.Against != "" || c.Floor {
		return c.compare(out, dir)
	}
	this, err := os.Executable()
	if err != nil {
		return err
	}
	t, err := startTrio(this, setup{Dir: dir, Shards: c.Shards, Profile: c.Profile}, c.Plain)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	fmt.Fprintf(out, "%d shards, %d bytes, TLS %v\n", c.Shards, c.Size, !c.Plain)
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
	all := []order{{Phase: "idle", Warm: c.Warm, For: c.Duration}}
	for _, n := range c.Proposers {
		all = append(all,
			order{Phase: fmt.Sprint("load-", n), Warm: c.Warm, For: c.Duration, Proposers: n, Size: c.Size, Fresh: c.Fresh},
			order{Phase: fmt.Sprint("reads-", n), Warm: c.Warm, For: c.Duration, Readers: n})
	}
	if c.SlowFsync == 0 {
		return all
	}
	// Without and with the slow disk, to compare; as many callers as in the row in
	// the middle.
	load := order{Phase: "load and a few reads", Warm: c.Warm, For: c.Duration, Proposers: c.Proposers[len(c.Proposers)/2], Size: c.Size}
	load.Readers, load.Pause = c.Shards, readPause
	slow := load
	slow.Phase, slow.Slow = slowPhase, c.SlowFsync
	return append(all, load, slow)
}
