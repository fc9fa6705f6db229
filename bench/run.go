package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"ssod/bench/floor"
	"ssod/bench/loadgen"
	"ssod/bench/target"
)

// runCommand measures every operation and the floor.
type runCommand struct {
	Ssod        string        `default:"bin/ssod" placeholder:"FILE" help:"The service to start on an empty directory."`
	HTTP        string        `placeholder:"ADDR" help:"Public address of a running node to use instead; its throttle must be off."`
	Admin       string        `placeholder:"ADDR" help:"Admin address of that node."`
	Provider    []string      `placeholder:"ID,..." help:"Service providers of that node, one per realm."`
	Connections int           `default:"64" help:"Connections, each with one request on it."`
	Realms      int           `default:"4" help:"Realms of the service that is started."`
	Clients     int           `default:"16" help:"Clients per realm, each with its own access token."`
	Members     int           `default:"20000" help:"Viewers with one device each that refresh, list and link."`
	Rounds      int           `default:"5" help:"Slices per operation; the report has their medians."`
	Slice       time.Duration `default:"1200ms" help:"Measured time per slice."`
	Warm        time.Duration `default:"200ms" help:"Unmeasured time before each slice."`
	OpenFor     time.Duration `default:"8s" help:"Measured time of the open loop."`
	Only        []string      `placeholder:"ROW,..." help:"Measure these rows only, such as mint; their floor and what they need come along."`
	JSON        string        `placeholder:"FILE" help:"Also write the report here."`
	Strict      bool          `help:"Exit 1 when a mark is missed."`
}

// bench is the state of a run.
type bench struct {
	*runCommand
	service, floor server
	clients        []client // of the service
	floorClients   []client
	members        []member // of the service
	floorMembers   []member
	rows           []*row
}

func (c *runCommand) Run(ctx context.Context) (err error) {
	b := &bench{runCommand: c, rows: newRows()}
	if err := b.checkOnly(); err != nil {
		return err
	}
	stop, err := b.startAll(ctx)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	for round := range c.Rounds {
		if err := b.round(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	if b.wanted(b.row(refreshHalf)) {
		if err := b.halfPeak(); err != nil {
			return err
		}
	}
	return c.publish(b.report())
}

func (c *runCommand) publish(r Report) error {
	r.print(os.Stdout)
	if c.JSON != "" {
		if err := r.write(c.JSON); err != nil {
			return err
		}
	}
	if c.Strict && !r.passed() {
		return errMissed
	}
	return nil
}

// startAll starts both servers and founds the members. stop ends what was
// started, also after an error.
func (b *bench) startAll(ctx context.Context) (stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var errs []error
		for _, f := range stops {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	process, addr, err := startFloor()
	if err != nil {
		return stop, err
	}
	stops = append(stops, process.Kill)
	b.floor = single(addr, process)
	service, realms, err := b.startService(ctx, &stops)
	if err != nil {
		return stop, err
	}
	b.service = single(service.HTTP, service.Process)
	return stop, errors.Join(b.foundFloor(), b.found(ctx, service, realms))
}

func (b *bench) startService(ctx context.Context, stops *[]func() error) (*target.Service, []target.Realm, error) {
	if b.HTTP != "" {
		realms := make([]target.Realm, len(b.Provider))
		for i, id := range b.Provider {
			realms[i].ServiceProvider = id
		}
		b.Realms = len(realms)
		return &target.Service{HTTP: b.HTTP, Admin: b.Admin}, realms, nil
	}
	dir, err := os.MkdirTemp("", "ssobench-")
	if err != nil {
		return nil, nil, err
	}
	*stops = append(*stops, func() error { return os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	realms := target.Realms(b.Realms)
	service, err := target.Start(ctx, b.Ssod, dir, realms)
	if err != nil {
		return nil, nil, err
	}
	*stops = append([]func() error{service.Process.Kill}, *stops...) // before its directory goes
	return service, realms, nil
}

// found registers the clients and mints the members.
func (b *bench) found(ctx context.Context, service *target.Service, realms []target.Realm) error {
	if err := b.register(ctx, service, realms); err != nil {
		return err
	}
	founders := &minter{clients: b.clients, name: "member", limit: b.Members, keep: true}
	err := b.all(b.service, founders)
	b.members = founders.members
	return err
}

// register gets the access tokens.
func (b *bench) register(ctx context.Context, service *target.Service, realms []target.Realm) error {
	for _, realm := range realms {
		tokens, err := service.Credentials(ctx, realm, b.Clients)
		if err != nil {
			return err
		}
		for _, token := range tokens {
			b.clients = append(b.clients, client{provider: realm.ServiceProvider, bearer: token})
		}
	}
	return nil
}

// foundFloor makes tokens for the floor, as many as the service gets.
func (b *bench) foundFloor() error {
	for i := range b.Realms * b.Clients {
		token, err := floor.AccessToken(fmt.Sprintf("client-%d", i))
		if err != nil {
			return err
		}
		b.floorClients = append(b.floorClients, client{provider: "floor", bearer: token})
	}
	for i := range b.Members {
		token, err := floor.ServiceToken(fmt.Sprintf("member-viewer-%d", i), "AAAAAAAAAAAAAAAAAAAAAA")
		if err != nil {
			return err
		}
		c := b.floorClients[i%len(b.floorClients)]
		b.floorMembers = append(b.floorMembers, member{provider: c.provider, bearer: c.bearer, service: token})
	}
	return nil
}

// round measures one slice of everything: the floor first, then what is
// compared with it.
func (b *bench) round(ctx context.Context, n int) error {
	name := fmt.Sprintf("round-%d", n)
	links := &linker{members: b.members}
	redeems := &redeemer{members: b.members, name: name + "-guest"}
	unlinks := &unlinker{members: b.members}
	slices := []struct {
		row     *row
		on      server
		src     loadgen.Source
		prepare func() error
	}{
		{b.row(floorRefresh), b.floor, &refresher{members: b.floorMembers}, nil},
		{b.row(refresh), b.service, &refresher{members: b.members}, nil},
		{b.row(refreshChain), b.service, &refresher{members: b.members, chain: true}, nil},
		{b.row(list), b.service, &lister{members: b.members}, nil},
		{b.row(floorMint), b.floor, &minter{clients: b.floorClients, name: name}, nil},
		{b.row(mint), b.service, &minter{clients: b.clients, name: name}, nil},
		{b.row(link), b.service, links, nil},
		{b.row(redeem), b.service, redeems, func() error { return b.supply(links, redeems) }},
		{b.row(unlink), b.service, unlinks, func() error { return b.admit(redeems, unlinks) }},
	}
	for _, s := range slices {
		if !b.wanted(s.row) {
			continue
		}
		if s.prepare != nil {
			if err := s.prepare(); err != nil {
				return fmt.Errorf("%s: %w", s.row.name, err)
			}
		}
		got, err := b.closed(s.on, s.src)
		if err == nil && got.Requests == 0 {
			err = errNothing
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.row.name, err)
		}
		s.row.samples = append(s.row.samples, got)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// enough is how many codes a round redeems at least: on a slow machine the
// measured links make fewer than a measurement of redeem and unlink needs.
const enough = 6000

// supply takes the codes of the links, after it has made those that are missing.
func (b *bench) supply(links *linker, redeems *redeemer) error {
	if missing := min(enough, len(b.members)) - len(links.codes); missing > 0 {
		links.limit = links.sent + missing
		if err := b.all(b.service, links); err != nil {
			return err
		}
	}
	redeems.codes = newest(links.codes)
	return nil
}

// admit takes the guests that have joined, after it has let in those that a measurement of
// unlink lacks.
func (b *bench) admit(redeems *redeemer, unlinks *unlinker) error {
	left := redeems.codes[redeems.sent:]
	more := &redeemer{members: redeems.members, name: redeems.name + "-more", codes: left[:min(len(left), max(0, 2*least-len(redeems.guests)))]}
	err := b.all(b.service, more)
	unlinks.guests = append(redeems.guests, more.guests...)
	return err
}

// newest keeps the last code of each host: it has replaced the older ones.
func newest(codes []code) []code {
	last := make(map[int]int, len(codes))
	for i, c := range codes {
		last[c.host] = i
	}
	var kept []code
	for i, c := range codes {
		if last[c.host] == i {
			kept = append(kept, c)
		}
	}
	return kept
}

// halfPeak runs refresh as an open loop with random arrivals (a Poisson
// process) at half of the median rate of its slices, and the floor with the
// very same arrivals: its latencies are what the machine adds.
func (b *bench) halfPeak() error {
	rate := b.row(refresh).rate() / 2
	if !rate.measured() {
		return nil // there is no half of it
	}
	for _, m := range []struct {
		row     string
		on      server
		members []member
	}{{floorHalf, b.floor, b.floorMembers}, {refreshHalf, b.service, b.members}} {
		got, err := b.open(m.on, &refresher{members: m.members}, poisson(float64(rate)))
		if err != nil {
			return fmt.Errorf("%s: %w", m.row, err)
		}
		row := b.row(m.row)
		row.samples = append(row.samples, got)
	}
	return nil
}

// poisson is random arrivals at a rate per second, the same each time.
func poisson(rate float64) loadgen.Arrivals {
	random := rand.New(rand.NewPCG(1, 2))
	var at float64
	return func() time.Duration {
		at += random.ExpFloat64() / rate
		return time.Duration(at * float64(time.Second))
	}
}
