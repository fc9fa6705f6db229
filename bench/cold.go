package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ssod/bench/paired"
	"ssod/bench/process"
	"ssod/bench/target"
)

// coldCommand measures requests to profiles on disk, and right after a start.
type coldCommand struct {
	Ssod        string        `default:"bin/ssod" placeholder:"FILE" help:"The service to start."`
	Fill        string        `default:"bin/fill" placeholder:"FILE" help:"The program that fills a directory with profiles (go build -o bin/ ./cmd/internal/fill)."`
	Against     string        `placeholder:"DIR" help:"Programs of another build, ssod and fill, to measure in turn with these."`
	Dir         string        `placeholder:"DIR" help:"Keep the filled directories here, and use those that an earlier run left; without it they are temporary."`
	Profiles    int           `default:"5000000" help:"Profiles that are stored."`
	Devices     int           `default:"3" help:"Devices of each."`
	Connections int           `default:"64" help:"Connections, each with one request on it."`
	Rounds      int           `default:"8" help:"Pairs of slices, the order changes from pair to pair."`
	Slice       time.Duration `default:"2s" help:"Measured time per slice."`
	Warm        time.Duration `default:"200ms" help:"Unmeasured time before each slice."`
	Others      float64       `default:"10" help:"Percent of the machine that others may have in a pair of slices that counts."`
	Rate        float64       `help:"Requests per second at which response times are compared; 0: six tenths of what the slowest build served."`
	OpenFor     time.Duration `default:"4s" help:"Measured time per slice at that rate."`
	Young       time.Duration `default:"30s" help:"For how long a node counts as just started; 0 leaves that measurement out."`
	Calm        time.Duration `default:"3m" help:"How long a node may take to come to rest before it is measured."`
	JSON        string        `placeholder:"FILE" help:"Also write the report here."`
	Strict      bool          `help:"Exit 1 when a mark is missed."`
}

// build is one of the builds that are compared, with its node.
type build struct {
	*bench
	name, ssod, fill, dir string
	node                  *target.Service
	sent                  int // viewers that were asked for
	cold, paced           []sample
	young, settled        ages
}

// ages are slices of what is measured after a start.
type ages struct{ mint, refresh []sample }

// coldBench is the state of a run.
type coldBench struct {
	*coldCommand
	realms []target.Realm
	builds []*build // ours first
	rate   float64
}

func (c *coldCommand) Run(ctx context.Context) (err error) {
	b := &coldBench{coldCommand: c, realms: target.Realms(1), rate: c.Rate}
	dir := c.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ssobench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	b.builds = append(b.builds, c.newBuild("this build", c.Ssod, c.Fill, filepath.Join(dir, "this")))
	if c.Against != "" {
		b.builds = append(b.builds, c.newBuild("other build", filepath.Join(c.Against, "ssod"), filepath.Join(c.Against, "fill"), filepath.Join(dir, "other")))
	}
	defer func() { err = errors.Join(err, b.kill()) }()
	for _, step := range []func(context.Context) error{b.fillAll, b.startAll, b.settle, b.closedRounds, b.pacedRounds} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	r := b.report()
	r.print(os.Stdout)
	if c.JSON != "" {
		if err := writeJSON(c.JSON, r); err != nil {
			return err
		}
	}
	if c.Strict && !r.passed() {
		return errMissed
	}
	return nil
}

func (c *coldCommand) newBuild(name, ssod, fill, dir string) *build {
	run := &runCommand{Connections: c.Connections, Clients: 4, Slice: c.Slice, Warm: c.Warm, OpenFor: c.OpenFor}
	return &build{
		bench: &bench{runCommand: run}, name: name, ssod: ssod, fill: fill,
		dir: fmt.Sprintf("%s-%d-%d", dir, c.Profiles, c.Devices),
	}
}

func (b *coldBench) kill() (err error) {
	for _, n := range b.builds {
		if n.node != nil {
			err = errors.Join(err, n.node.Process.Kill())
		}
	}
	return err
}

// fillAll fills each directory that no earlier run has filled.
func (b *coldBench) fillAll(ctx context.Context) error {
	for _, n := range b.builds {
		done := filepath.Join(n.dir, "filled")
		if _, err := os.Stat(done); err == nil {
			continue
		}
		if err := os.MkdirAll(n.dir, 0o700); err != nil {
			return err
		}
		fill := exec.CommandContext(ctx, n.fill, "--data", filepath.Join(n.dir, "data"), "--realm", b.realms[0].ID,
			"--profiles", fmt.Sprint(b.Profiles), "--devices", fmt.Sprint(b.Devices))
		if out, err := fill.CombinedOutput(); err != nil {
			return fmt.Errorf("fill %s: %w: %s", n.dir, err, out)
		}
		if err := os.WriteFile(done, nil, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// startAll starts the nodes one after the other and measures each, young and
// settled, while it is alone on the machine.
func (b *coldBench) startAll(ctx context.Context) error {
	for _, n := range b.builds {
		if err := b.start(ctx, n); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	return nil
}

func (b *coldBench) start(ctx context.Context, n *build) error {
	begin, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	node, err := target.Start(begin, n.ssod, n.dir, b.realms)
	if err != nil {
		return err
	}
	ready := time.Now()
	n.node, n.service = node, single(node.HTTP, node.Process)
	n.sent = int(ready.UnixNano() % int64(b.Profiles)) // other viewers than those of an earlier run
	if err := n.register(ctx, node, b.realms); err != nil || b.Young == 0 {
		return err
	}
	founders := &minter{clients: n.clients, name: fmt.Sprint("member-", ready.Unix()), limit: youngMembers, keep: true}
	if err := n.all(n.service, founders); err != nil {
		return err
	}
	n.members = founders.members
	if err := n.age(ctx, ready.Add(b.Young), &n.young, "young"); err != nil {
		return err
	}
	if err := b.rest(ctx, n); err != nil {
		return err
	}
	return n.age(ctx, time.Now().Add(b.Young), &n.settled, "settled")
}

// youngMembers is how many viewers refresh while a node is young and settled.
const youngMembers = 2000

// age measures new viewers and refreshes in turn until some time.
func (n *build) age(ctx context.Context, until time.Time, to *ages, name string) error {
	mints := &minter{clients: n.clients, name: fmt.Sprint(name, "-", until.Unix())}
	refreshes := &refresher{members: n.members}
	for time.Now().Before(until) {
		minted, err := n.closed(n.service, mints)
		if err != nil {
			return fmt.Errorf("mint: %w", err)
		}
		refreshed, err := n.closed(n.service, refreshes)
		if err != nil {
			return fmt.Errorf("refresh: %w", err)
		}
		to.mint, to.refresh = append(to.mint, minted), append(to.refresh, refreshed)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until all nodes are at rest.
func (b *coldBench) settle(ctx context.Context) error {
	for _, n := range b.builds {
		if err := b.rest(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// resting is how much of a core a node takes, over restFor, when its start is finished.
const (
	resting = 0.1
	restFor = 2 * time.Second
)

// rest waits until the node has finished its start; after a time limit it is measured
// nevertheless.
func (b *coldBench) rest(ctx context.Context, n *build) error {
	for until := time.Now().Add(b.Calm); time.Now().Before(until); {
		cores, err := coresOf(ctx, n.node.Process, restFor)
		if err != nil || cores < resting {
			return err
		}
	}
	return nil
}

// coresOf is how many cores a process takes.
func coresOf(ctx context.Context, p *process.Process, d time.Duration) (float64, error) {
	before, err := p.CPU()
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, d); err != nil {
		return 0, err
	}
	after, err := p.CPU()
	return float64(after-before) / float64(d), err
}

// closedRounds measures the cost of cold requests at the peak rate.
func (b *coldBench) closedRounds(ctx context.Context) error {
	err := b.rounds(ctx, func(n *build) error {
		got, err := n.closed(n.service, n.strangers(b.Profiles))
		n.cold = append(n.cold, got)
		return err
	})
	if err != nil || b.rate > 0 {
		return err
	}
	for _, n := range b.builds {
		if rate := 0.6 * float64(median(n.cold, sample.rate)); b.rate == 0 || rate < b.rate {
			b.rate = rate
		}
	}
	return nil
}

// pacedRounds measures response times at the same rate.
func (b *coldBench) pacedRounds(ctx context.Context) error {
	return b.rounds(ctx, func(n *build) error {
		got, err := n.open(n.service, n.strangers(b.Profiles), poisson(b.rate))
		n.paced = append(n.paced, got)
		return err
	})
}

// rounds measures the builds in turn, A B B A.
func (b *coldBench) rounds(ctx context.Context, measure func(*build) error) error {
	for round := range b.Rounds {
		for _, i := range paired.Order(round, len(b.builds)) {
			if err := measure(b.builds[i]); err != nil {
				return fmt.Errorf("%s, round %d: %w", b.builds[i].name, round+1, err)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}
