package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ssod/bench/loadgen"
	"ssod/bench/target"
)

// crowdCommand drives one realm, whose link codes are in one entity, by many connections:
// how many requests are refused, and how much memory the nodes take.
type crowdCommand struct {
	Ssod        string        `default:"bin/ssod" placeholder:"FILE" help:"The service to start on empty directories."`
	Nodes       int           `default:"1" help:"Nodes of the service."`
	Connections int           `default:"600" help:"Connections, each with one request on it."`
	Members     int           `default:"20000" help:"Viewers with one device each, who show codes and let one guest in again and again."`
	For         time.Duration `default:"1m" help:"How long the crowd goes on."`
	Mark        int64         `default:"512" help:"MiB of memory that a node may take at its peak."`
	Memory      string        `placeholder:"SIZE" help:"Pass --memory on to the service. Default: its own."`
	Heap        string        `placeholder:"DIR" help:"Write a heap profile of each node here at the end, for go tool pprof."`
	JSON        string        `placeholder:"FILE" help:"Also write the report here."`
	Strict      bool          `help:"Exit 1 when a mark is missed."`
}

// crowdCodes lets viewers make more codes than honest ones do, and keeps used
// ones from being given out again for a minute, so that a run of minutes
// reaches a steady state.
const crowdCodes = "{ttl: 1m, maxIssued: 100000}"

// crowd is the state of a run.
type crowd struct {
	*crowdCommand
	*side
	link, redeem tally
}

func (c *crowdCommand) Run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "ssobench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &crowd{
		crowdCommand: c,
		side:         &side{bench: &bench{runCommand: &runCommand{Connections: c.Connections, Clients: 4, Members: c.Members}}},
		link:         newTally(link), redeem: newTally(redeem),
	}
	stop, err := b.begin(ctx, dir)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	if err := b.rush(ctx); err != nil {
		return err
	}
	report, err := b.report(ctx)
	if err != nil {
		return err
	}
	return errors.Join(b.saveHeaps(ctx), b.publish(report))
}

// begin starts the nodes and mints the members. stop ends what was started,
// also after an error.
func (b *crowd) begin(ctx context.Context, dir string) (stop func() error, err error) {
	starting, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	realms := target.Realms(1)
	realms[0].LinkCode = crowdCodes
	var flags []string
	if b.Memory != "" {
		flags = append(flags, "--memory", b.Memory)
	}
	if b.Nodes == 1 {
		s, err := target.Start(starting, b.Ssod, dir, realms, flags...)
		if err != nil {
			return func() error { return nil }, err
		}
		b.nodes, stop = []*target.Service{s}, s.Process.Kill
	} else {
		cluster, err := target.NewCluster(b.Ssod, dir, realms)
		if err != nil {
			return func() error { return nil }, err
		}
		stop = cluster.Kill
		for range b.Nodes {
			if err := cluster.Add(starting, flags...); err != nil {
				return stop, err
			}
		}
		if err := cluster.Settled(starting, b.Nodes); err != nil {
			return stop, err
		}
		b.nodes = cluster.Nodes
	}
	b.service = b.through(b.nodes...)
	return stop, b.found(ctx, b.nodes[0], realms)
}

// rush has all members make codes, which guests redeem, until the time is over.
func (b *crowd) rush(ctx context.Context) error {
	loop, err := loadgen.Dial(b.Connections, b.service.addrs...)
	if err != nil {
		return err
	}
	defer loop.Close()
	for end := time.Now().Add(b.For); time.Now().Before(end); {
		if err := ctx.Err(); err != nil {
			return err
		}
		links := &linker{members: b.members, limit: len(b.members)}
		if err := b.link.drive(loop, links, end); err != nil {
			return fmt.Errorf("link: %w", err)
		}
		if err := b.redeem.drive(loop, &returning{redeemer{members: b.members, codes: links.codes, name: "guest"}}, end); err != nil {
			return fmt.Errorf("redeem: %w", err)
		}
	}
	return nil
}

// returning is the redeemer whose guests come again: each host has one.
type returning struct{ redeemer }

func (d *returning) Next(buf []byte) ([]byte, int, bool) {
	if d.sent == len(d.codes) {
		return buf, 0, false
	}
	i := d.sent
	d.sent++
	c := d.codes[i]
	m := &d.members[c.host]
	r := newRequest(buf, http.MethodPost, m.provider, "serviceToken", m.bearer).device(deviceID(d.name, c.host))
	return r.header("X-Forwarded-For", home(c.host)).header("X-Device-Info", deviceInfo).header("X-SSO-LINK", c.digits).end(""), i, true
}

// tally counts the results of an operation's requests.
type tally struct {
	loadgen.Source
	operation                      string
	accepted, unavailable, refused int
	took                           time.Duration
	latency                        *hdrhistogram.Histogram
}

func newTally(operation string) tally {
	return tally{operation: operation, latency: hdrhistogram.New(1000, int64(time.Minute), 3)}
}

// drive sends every request of src, or those that there is time for.
func (t *tally) drive(loop *loadgen.Loop, src loadgen.Source, end time.Time) error {
	t.Source = src
	got, err := loop.Closed(t, loadgen.Window{Measure: time.Until(end)})
	t.took += got.Elapsed
	t.latency.Merge(got.Latency)
	return err
}

func (t *tally) Answer(tag, status int, body []byte) bool {
	accepted := t.Source.Answer(tag, status, body)
	switch {
	case accepted:
		t.accepted++
	case status == http.StatusServiceUnavailable:
		t.unavailable++
	default:
		t.refused++
	}
	return accepted
}

// saveHeaps writes a heap profile of each node.
func (b *crowd) saveHeaps(ctx context.Context) error {
	if b.Heap == "" {
		return nil
	}
	for i, n := range b.nodes {
		profile, err := page(ctx, http.MethodPost, "http://"+n.Admin+"/debug/pprof/heap?gc=1")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(b.Heap, fmt.Sprintf("heap-%d.pb.gz", i+1)), []byte(profile), 0o644); err != nil {
			return err
		}
	}
	return nil
}
