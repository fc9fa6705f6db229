package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"ssod/bench/loadgen"
	"ssod/bench/paired"
	"ssod/bench/provider"
	"ssod/bench/target"
)

// providersCommand measures decisions at a TV provider that is well, while another one
// is well, slow, or hangs. Each side has the same load at both, and none is answered
// from a cache.
type providersCommand struct {
	Ssod    string        `default:"bin/ssod" placeholder:"FILE" help:"The service to start on an empty directory."`
	Members int           `default:"100" help:"Viewers with one device each, logged in at both providers."`
	Rate    float64       `default:"100" help:"Decisions per second at the provider that is well."`
	Beside  float64       `default:"25" help:"Decisions per second at the other one."`
	Delay   time.Duration `default:"4s" help:"What a slow decision takes; the service waits 5 s for one."`
	Pairs   int           `default:"5" help:"Good rounds; a round is a slice of each side."`
	Slice   time.Duration `default:"4s" help:"Measured time per slice."`
	Warm    time.Duration `default:"6s" help:"Unmeasured time before each slice: longer than the service waits, so that the load is that of a long time."`
	Others  float64       `default:"15" help:"Percent of the machine over which other processes spoil a round."`
	Mark    float64       `default:"1.5" help:"By how many times the 99th percentile may grow."`
	JSON    string        `placeholder:"FILE" help:"Also write the report here."`
	Strict  bool          `help:"Exit 1 when a mark is missed."`
}

// The names of both providers in the configuration.
const (
	wellProvider  = "well"
	otherProvider = "other"
)

// besideConnections are enough for all calls that wait for the other provider.
const besideConnections = 256

// mood is how the other provider decides.
type mood struct {
	name   string
	decide http.HandlerFunc
}

func (c *providersCommand) moods() []mood {
	return []mood{
		{"is well", provider.Permit},
		{"takes " + c.Delay.String(), provider.Late(c.Delay)},
		{"hangs", provider.Late(time.Hour)},
	}
}

// providersBench is the state of a run.
type providersBench struct {
	*providersCommand
	*bench
	other *provider.Provider
}

func (c *providersCommand) Run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "ssobench-")
	if err != nil {
		return err
	}
	b := &providersBench{providersCommand: c, bench: &bench{runCommand: &runCommand{
		Connections: 64, Clients: 4, Members: c.Members, Slice: c.Slice, Warm: c.Warm,
	}}}
	stop, err := b.begin(ctx, dir)
	defer func() { err = errors.Join(err, stop(), os.RemoveAll(dir)) }()
	if err != nil {
		return err
	}
	plan := paired.Plan{Pairs: c.Pairs, Others: c.Others / 100}
	rounds, err := plan.Run(len(c.moods()), func(side int) (paired.Slice, error) { return b.slice(ctx, c.moods()[side]) })
	if err != nil {
		return err
	}
	return c.publish(c.report(plan, rounds))
}

// begin starts the providers and the service, and logs the members in. stop ends what
// was started, also after an error.
func (b *providersBench) begin(ctx context.Context, dir string) (stop func() error, err error) {
	var stops []func() error
	stop = func() (err error) {
		for _, f := range stops {
			err = errors.Join(err, f())
		}
		return err
	}
	realms := target.Realms(1)
	realms[0].MVPDs = "["
	for _, id := range []string{wellProvider, otherProvider} {
		p, err := provider.Start()
		if err != nil {
			return stop, err
		}
		stops, b.other = append(stops, p.Close), p // the last one is the other
		realms[0].MVPDs += fmt.Sprintf("{id: %s, kind: oidc, issuer: %q, clientId: %s, authzURL: %q}, ", id, p.Issuer, provider.ClientID, p.DecisionURL)
	}
	realms[0].MVPDs += "]"
	starting, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	service, err := target.Start(starting, b.providersCommand.Ssod, dir, realms)
	if err != nil {
		return stop, err
	}
	stops = append(stops, service.Process.Kill)
	b.service = single(service.HTTP, service.Process)
	if err := b.found(ctx, service, realms); err != nil {
		return stop, err
	}
	return stop, b.logIn(ctx)
}

// logIn logs every member in at both providers.
func (b *providersBench) logIn(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loginsAtOnce)
	for _, m := range b.members {
		group.Go(func() error {
			return errors.Join(logInAt(ctx, b.base(), m, wellProvider), logInAt(ctx, b.base(), m, otherProvider))
		})
	}
	return group.Wait()
}

func (b *providersBench) base() string { return "http://" + b.service.addrs[0] }

// slice measures decisions at the provider that is well, in one mood of the other.
func (b *providersBench) slice(ctx context.Context, m mood) (paired.Slice, error) {
	b.other.Decide(provider.Permit)
	if err := b.recovered(ctx); err != nil {
		return paired.Slice{}, err
	}
	burden, err := loadgen.Dial(besideConnections, b.service.addrs...)
	if err != nil {
		return paired.Slice{}, err
	}
	defer burden.Close()
	if err := b.greet(burden, besideConnections); err != nil {
		return paired.Slice{}, err
	}
	b.other.Decide(m.decide)
	var group errgroup.Group
	group.Go(func() error { return b.burden(burden) })
	got, err := b.well()
	if err = errors.Join(err, group.Wait()); err != nil {
		return paired.Slice{}, fmt.Errorf("while the other provider %s: %w", m.name, err)
	}
	return paired.Slice{Cost: float64(quantile(got.Latency, 99)), Others: got.others}, nil
}

// well asks for decisions of the provider that is well.
func (b *providersBench) well() (sample, error) {
	w := loadgen.Window{Warm: b.bench.Warm, Measure: b.bench.Slice}
	return b.measure(b.service, w, func(l *loadgen.Loop, w loadgen.Window) (loadgen.Result, error) {
		if err := b.greet(l, b.Connections); err != nil {
			return loadgen.Result{}, err
		}
		return l.Open(&watcher{members: b.members, mvpd: wellProvider}, poisson(b.Rate), w)
	})
}

// burden asks for decisions of the other provider for the time of a slice. What becomes
// of them does not matter, as long as they are answered.
func (b *providersBench) burden(l *loadgen.Loop) error {
	_, err := l.Open(&watcher{members: b.members, mvpd: otherProvider, whatever: true}, poisson(b.Beside),
		loadgen.Window{Measure: b.bench.Warm + b.bench.Slice})
	return err
}

// greet sends a request on each connection: the service closes those on which none comes
// within seconds, and a low rate needs few of them.
func (b *providersBench) greet(l *loadgen.Loop, connections int) error {
	_, err := l.Closed(&watcher{members: b.members, mvpd: wellProvider, limit: connections}, loadgen.Window{Measure: time.Minute})
	return err
}

// recoverPoll is how often the other provider is tried; its breaker opens for 10 s.
const recoverPoll = 200 * time.Millisecond

// recovered waits until the other provider is asked again.
func (b *providersBench) recovered(ctx context.Context) error {
	tick := time.NewTicker(recoverPoll)
	defer tick.Stop()
	for {
		before := b.other.Asked()
		if err := b.all(b.service, &watcher{members: b.members, mvpd: otherProvider, whatever: true, limit: 1}); err != nil {
			return err
		}
		if b.other.Asked() > before {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watcher asks an MVPD for decisions, each on a channel of its own.
type watcher struct {
	members  []member
	mvpd     string
	whatever bool // a denial is an answer, too
	limit    int  // 0: none
	sent     int
}

func (w *watcher) Next(buf []byte) ([]byte, int, bool) {
	if w.limit > 0 && w.sent == w.limit {
		return buf, 0, false
	}
	i := w.sent % len(w.members)
	m := &w.members[i]
	r := newRequest(buf, http.MethodPost, "v2/"+m.provider, "decisions/authorize/"+w.mvpd, m.bearer).device(m.device)
	w.sent++
	return r.end(`{"resources":["channel-` + strconv.Itoa(w.sent) + `"]}`), i, true
}

func (w *watcher) Answer(_, status int, body []byte) bool {
	if w.whatever {
		return status == http.StatusOK
	}
	return (&decider{call: "authorize"}).Answer(0, status, body)
}
