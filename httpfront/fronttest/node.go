package fronttest

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/actors"
	"ssod/actors/answer"
	"ssod/actors/device"
	"ssod/actors/grant"
	"ssod/actors/intent"
	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/logout"
	"ssod/actors/once"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/actors/trial"
	"ssod/actors/upstream"
	"ssod/cluster/faulty"
	"ssod/cluster/meta"
	"ssod/httpfront"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/api/sandbox"
	"ssod/httpfront/api/sso"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/saml"
	"ssod/httpfront/mvpd/temppass"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
	"ssod/httpfront/token/media"
	"ssod/httpfront/token/platform"
)

// Options changes what a [Node] is made of. The zero value is fine.
type Options struct {
	// Config is a configuration file; empty means [Realms].
	Config string
	// Cluster injects faults.
	Cluster faulty.Options
	// Service changes the SSO Service before it is used.
	Service func(*sso.Service)
	// Entitlement changes the entitlement API before it is made.
	Entitlement func(*entitlement.Options)
	// Budget is how long a TV provider may take to decide; see mvpd.Registry.
	Budget time.Duration
	// Log gets everything; nil means nothing is logged.
	Log *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

// Realms is the default configuration: two tenants, the throttle off.
const Realms = `
helpURL: https://help.example/errors
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [STREAM1, STREAM2]
    cors: {origins: ["https://tv.acme.example"]}
  - id: rival
    serviceProviders: [RIVAL1]
`

// Node is a front end with everything behind it.
type Node struct {
	*httpfront.Server
	Settings     *config.Current
	Keys         *keys.Ring
	Registration *registration.Service
	Truth        *faulty.Truth
	Runtime      *actors.Runtime
	clock        clock
}

// clock runs with the real one, ahead of it by what the test added.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Sleep moves the node's clock.
func (n *Node) Sleep(d time.Duration) { n.clock.ahead.Add(int64(d)) }

// Now is the node's time.
func (n *Node) Now() time.Time { return n.clock.now() }

// Start starts a node that stops with the test.
func Start(t testing.TB, o Options) *Node {
	t.Helper()
	if o.Config == "" {
		o.Config = Realms
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	cfg, err := config.Parse([]byte(o.Config), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{Settings: config.NewCurrent(cfg)}
	o.Cluster.Clock = n.clock.now
	n.Truth = faulty.New(o.Cluster)
	service := n.domain(t, n.Truth.Node("n1:1"), o.Log)
	service.Metrics = sso.NewMetrics(o.Metrics, cfg)
	if o.Service != nil {
		o.Service(service)
	}
	n.Server, err = httpfront.Start(httpfront.Options{
		Address:  "127.0.0.1:0",
		Handlers: n.handlers(t, service, o),
		Settings: n.Settings.Config,
		Metrics:  o.Metrics,
		Log:      o.Log,
		Now:      n.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n.Shutdown) })
	return n
}

// handlers are all operations of a node.
func (n *Node) handlers(t testing.TB, service *sso.Service, o Options) httpfront.Handlers {
	providers := mvpd.NewRegistry(map[string]mvpd.Maker{
		sandbox.Kind:  sandbox.Maker(sandbox.Options{Key: n.Keys.LinkCodeKey, Now: n.Now, Delay: time.Millisecond}),
		temppass.Kind: temppass.Make,
		saml.Kind:     saml.Maker(saml.Options{Now: n.Now, Log: o.Log}),
	}, o.Log)
	providers.Budget = o.Budget
	handlers := httpfront.NewHandlers(service, n.Registration, n.Keys)
	handlers.Sandbox = httpfront.NewSandboxHandlers(sandbox.Pages{Providers: providers})
	signer := media.NewSigner(media.Options{Sign: n.Keys.SignMedia, Ready: n.Keys.AwaitMedia})
	t.Cleanup(signer.Close)
	platforms := platform.NewVerifier(o.Log)
	t.Cleanup(platforms.Close)
	entitled := entitlement.Options{
		Tokens: n.Keys, Clients: n.Registration, Profiles: profile.Client{Asker: n.Runtime},
		Sessions: session.Client{Asker: n.Runtime}, Devices: device.Client{Asker: n.Runtime},
		Logouts: logout.Client{Asker: n.Runtime}, Grants: grant.Client{Asker: n.Runtime},
		Answers: answer.Client{Asker: n.Runtime}, Onces: once.Client{Asker: n.Runtime}, Upstreams: upstream.Client{Asker: n.Runtime},
		Trials: trial.Client{Asker: n.Runtime}, Providers: providers, Platforms: platforms,
		Media: signer, Log: o.Log,
	}
	if o.Entitlement != nil {
		o.Entitlement(&entitled)
	}
	served := entitlement.New(entitled)
	t.Cleanup(func() { stop(t, served.Close) })
	handlers.V2 = httpfront.NewV2(served)
	return handlers
}

// domain starts what the front end asks.
func (n *Node) domain(t testing.TB, shards *faulty.Node, log *slog.Logger) *sso.Service {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tables, err := meta.Open(context.Background(), shards)
	must(err)
	must(plant(tables))
	n.Keys, err = keys.Open(context.Background(), keys.Options{
		Store: tables, Sealing: sealing.Options{Key: make([]byte, sealing.KeySize)}, Settings: n.Settings.Config, Now: n.Now, Log: log,
	})
	must(err)
	must(n.Keys.KeepUp(context.Background()))
	keep(tables)
	t.Cleanup(n.Keys.Close)
	n.Registration, err = registration.Open(registration.Options{
		Store: tables, Keys: n.Keys, Settings: n.Settings.Config, Now: n.Now, Log: log,
	})
	must(err)
	t.Cleanup(n.Registration.Close)
	courier := intent.NewCourier()
	n.Runtime, err = actors.Start(actors.Config{
		Shards: shards, Slots: shards.Slots, Self: shards.Address(), Log: log,
		Kinds: append(
			linking.Kinds(profile.Config{
				Retention: func() time.Duration { return n.Settings.Config().MemberRetention },
				TokenLife: func(id string) time.Duration {
					realm, _ := n.Settings.Config().Realm(id)
					return realm.TokenLife()
				},
				Courier: courier,
			}, linkdirectory.Config{Keys: n.Keys, Log: log}),
			append(trial.Kinds(trial.Config{Retention: func() time.Duration { return n.Settings.Config().MemberRetention }}),
				device.Kind(courier), session.Kind(courier), logout.Kind(), grant.Kind(courier), once.Kind(), answer.Kind(), upstream.Kind(courier))...,
		),
	})
	must(err)
	t.Cleanup(func() { stop(t, n.Runtime.Stop) })
	courier.Start(n.Runtime)
	t.Cleanup(courier.Close)
	return &sso.Service{
		Tokens: n.Keys, Clients: n.Registration,
		Profiles: profile.Client{Asker: n.Runtime},
		Links:    linking.NewClient(n.Runtime, n.Keys),
		Log:      log,
	}
}

func stop(t testing.TB, f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := f(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// known are the keys of the first node, which all others begin with: making RSA
// keys takes longer than most tests.
var known struct {
	sync.Mutex
	records map[string][]byte
}

func plant(tables *meta.Store) error {
	known.Lock()
	defer known.Unlock()
	if known.records == nil {
		return nil
	}
	return tables.Change(context.Background(), keys.Table, known.records, nil)
}

func keep(tables *meta.Store) {
	known.Lock()
	defer known.Unlock()
	if known.records == nil {
		known.records = maps.Collect(tables.All(keys.Table))
	}
}
