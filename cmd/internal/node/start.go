package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
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
	"ssod/cluster"
	"ssod/httpfront"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/api/sandbox"
	"ssod/httpfront/api/sso"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/oidc"
	"ssod/httpfront/mvpd/saml"
	"ssod/httpfront/mvpd/temppass"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
	"ssod/httpfront/token/media"
	"ssod/httpfront/token/platform"
	"ssod/persistence"
)

// configure reads the configuration and makes the registry of metrics.
func (n *Node) configure(context.Context) error {
	cfg, err := n.config.Settings()
	if err != nil {
		return err
	}
	n.warn(cfg)
	n.settings = config.NewCurrent(cfg)
	n.registry = newRegistry()
	return errors.Join(n.registry.Register(n.divergence.gauge()), n.registry.Register(n.droppedLines()))
}

// droppedLines counts the lines missing in the log.
func (n *Node) droppedLines() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "ssod_log_lines_dropped_total",
		Help: "Log lines that were dropped, because the reader of the log is gone or too slow.",
	}, func() float64 {
		if n.config.LogDropped == nil {
			return 0
		}
		return float64(n.config.LogDropped())
	})
}

func (n *Node) warn(cfg *config.Config) {
	for _, w := range cfg.Warnings {
		n.log.Warn("configuration", "warning", w.String())
	}
}

// listen serves operators and orchestrators from now on.
func (n *Node) listen(context.Context) error {
	var secure *tls.Config
	var err error
	if n.config.AdminTLS {
		if secure, err = httpfront.TLS(n.config.TLSCert, n.config.TLSKey, n.log); err != nil {
			return err
		}
	}
	o := admin.Options{
		Address: n.config.Admin, TLS: secure, Tokens: n.tokens,
		Status: n.status, Found: n.found, Metrics: n.registry, OpenAPI: httpfront.OpenAPI(), Log: n.log,
	}
	if n.admin, err = admin.Start(o); err != nil {
		return err
	}
	n.own("admin listener", n.admin.Shutdown)
	if n.config.Health == "" {
		return nil
	}
	o.Address = n.config.Health
	if n.health, err = admin.Health(o); err != nil {
		return err
	}
	n.own("health listener", n.health.Shutdown)
	return nil
}

// open opens the store.
func (n *Node) open(context.Context) (err error) {
	memory := n.config.shares()
	o := persistence.Options{
		Dir: n.config.Data, Node: n.config.Name, DefaultNode: n.config.DefaultName, Shards: n.config.Shards,
		Reserve: n.config.Reserve, CacheBytes: n.config.Cache,
		MemTableBytes: memory.memtable, UnflushedBytes: memory.unflushed, Fatal: n.fatal, Logger: n.log, Registerer: n.registry,
	}
	if m := n.joined; m != nil {
		o.Cluster, o.NodeID, o.Shards = m.Cluster, m.ID, m.Shards
	}
	n.store, err = persistence.Open(o)
	if err != nil {
		return err
	}
	n.own("store", closing(n.store.Close))
	n.known.Lock()
	defer n.known.Unlock()
	n.identity = n.store.Identity()
	return nil
}

// fatal passes on what ends the node, and ends the start.
func (n *Node) fatal(err error) {
	n.abort(err)
	select {
	case n.failed <- err:
	default:
	}
}

// sign opens the keys and what is signed with them.
func (n *Node) sign(ctx context.Context) error {
	if err := n.renewKeys(ctx); err != nil {
		return err
	}
	key, err := n.sealingKey()
	if err != nil {
		return err
	}
	n.unsealed = n.unsealing(key)
	if err := n.openRing(ctx, n.unsealed); err != nil {
		return n.otherSealingKey(err)
	}
	n.own("key ring", closing(func() error { n.ring.Close(); return nil }))
	n.clients, err = registration.Open(registration.Options{
		Store: n.tables, Keys: n.ring, Settings: n.settings.Config, CatchUp: n.catchUp, Now: n.config.Clock, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.own("registration", closing(func() error { n.clients.Close(); return nil }))
	return nil
}

// openRing opens the key ring. A node of several retries while no leader makes its missing
// keys durable, and, after it has joined, until another node has sealed the keys to it.
func (n *Node) openRing(ctx context.Context, o sealing.Options) error {
	for {
		var err error
		n.ring, err = keys.Open(ctx, keys.Options{
			Store: n.tables, Sealing: o, Settings: n.settings.Config, Leads: n.leadsMeta, Parallel: n.keysAtOnce(), Log: n.log,
			Now: n.config.Clock, Confirmed: n.watch.Confirmed,
		})
		unsettled := errors.Is(err, cluster.ErrRefused) || errors.Is(err, cluster.ErrUnknown) || errors.Is(err, sealing.ErrNoCopy)
		if !unsettled || n.placement == nil || n.placement.Others() == 0 {
			return err
		}
		n.waitFor(func() string {
			return fmt.Sprintf("the cluster to keep and to seal this node's keys: %v%s", err, n.strangers())
		})
		pause := time.NewTimer(joinPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return err
		}
	}
}

// act starts the actors.
func (n *Node) act(context.Context) (err error) {
	courier := intent.NewCourier()
	n.runtime, err = actors.Start(actors.Config{
		Shards: n.shards, Slots: n.slots, Self: n.me.RPC, Level: n.store.Level, Remote: n.remote(), NoQuorum: n.noQuorum, Limits: n.config.actorLimits(),
		Outbox:  n.outbox(),
		Metrics: n.registry, Log: n.log,
		Kinds: slices.Concat(
			linking.Kinds(profile.Config{
				Retention: n.retention,
				TokenLife: n.tokenLife,
				Courier:   courier,
			}, linkdirectory.Config{Keys: n.ring, Metrics: n.registry, Attacks: &n.attacks, Log: n.log}),
			nextKinds(),
			trial.Kinds(trial.Config{Retention: n.retention}),
			[]actors.Kind{
				device.Kind(courier),
				session.Kind(courier),
				logout.Kind(),
				grant.Kind(courier),
				once.Kind(),
				answer.Kind(),
				upstream.Kind(courier),
			},
		),
	})
	if err != nil {
		return err
	}
	n.own("actors", n.runtime.Stop)
	if n.placement != nil {
		n.placement.Served(n.runtime.Served)
	}
	courier.Start(n.runtime)
	n.own("courier", closing(func() error { courier.Close(); return nil }))
	n.tell()
	n.useLevel()
	return nil
}

// retention is how long a device is remembered that was not seen.
func (n *Node) retention() time.Duration { return n.settings.Config().MemberRetention }

// tokenLife is how long a realm's tokens matter. For a realm that is no longer configured
// that is as long as a device is remembered: the realm may return.
func (n *Node) tokenLife(realm string) time.Duration {
	cfg := n.settings.Config()
	if r, ok := cfg.Realm(realm); ok {
		return r.TokenLife()
	}
	return cfg.MemberRetention
}

// providers has the TV providers of the kinds that this version supports.
func (n *Node) providers() *mvpd.Registry {
	return mvpd.NewRegistry(map[string]mvpd.Maker{
		sandbox.Kind:  sandbox.Maker(sandbox.Options{Key: n.ring.LinkCodeKey, Now: n.config.Clock}),
		oidc.Kind:     oidc.Maker(oidc.Options{Now: n.config.Clock, Log: n.log}),
		saml.Kind:     saml.Maker(saml.Options{Now: n.config.Clock, Log: n.log}),
		temppass.Kind: temppass.Make,
	}, n.log)
}

// entitlement makes the entitlement API.
func (n *Node) entitlement(profiles profile.Client, providers *mvpd.Registry) *entitlement.Service {
	providers.Load(n.settings.Config())
	n.registry.MustRegister(providers)
	signer := media.NewSigner(media.Options{Sign: n.ring.SignMedia, Ready: n.ring.AwaitMedia, Parallel: n.config.Signers})
	n.own("signer of media tokens", closing(func() error { signer.Close(); return nil }))
	n.platforms = platform.NewVerifier(n.log)
	n.own("keys of platforms", closing(func() error { n.platforms.Close(); return nil }))
	service := entitlement.New(entitlement.Options{
		Tokens: n.ring, Clients: n.clients, Profiles: profiles,
		Sessions: session.Client{Asker: n.runtime}, Devices: device.Client{Asker: n.runtime},
		Logouts: logout.Client{Asker: n.runtime}, Grants: grant.Client{Asker: n.runtime},
		Answers: answer.Client{Asker: n.runtime}, Onces: once.Client{Asker: n.runtime}, Upstreams: upstream.Client{Asker: n.runtime},
		Trials: trial.Client{Asker: n.runtime}, Providers: providers,
		Level: n.store.Level, Media: signer, Platforms: n.platforms, Rules: n.rules,
		Denials: n.sums, Metrics: entitlement.NewMetrics(n.registry), Log: n.log,
	})
	n.own("tokens of logins in use", service.Close)
	return service
}

// serve opens the public listener and the admin API.
func (n *Node) serve(context.Context) (err error) {
	profiles := profile.Client{Asker: n.runtime}
	links := linking.NewClient(n.runtime, n.ring)
	clients := connections(openFiles())
	if clients < maxConnections {
		n.log.Warn("the limit of open files bounds the connections", "connections", clients, "files", openFiles())
	}
	service := &sso.Service{
		Tokens: n.ring, Clients: n.clients, Profiles: profiles, Links: links,
		Metrics: sso.NewMetrics(n.registry, n.settings.Config()), Log: n.log,
	}
	handlers := httpfront.NewHandlers(service, n.clients, n.ring)
	providers := n.providers()
	n.mvpds.Store(providers)
	handlers.Sandbox = httpfront.NewSandboxHandlers(sandbox.Pages{Providers: providers})
	handlers.V2 = httpfront.NewV2(n.entitlement(profiles, providers))
	n.front, err = httpfront.Start(httpfront.Options{
		Address: n.config.HTTP, TLSCert: n.config.TLSCert, TLSKey: n.config.TLSKey, Limits: n.config.limits(),
		Handlers: handlers, CutOff: n.cutOff, Now: n.config.Clock,
		Settings: n.settings.Config, MaxConnections: clients, Metrics: n.registry, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.own("public listener", n.front.Shutdown)
	if err := n.reachable(n.front.Address().String()); err != nil {
		return err
	}
	n.admin.Serve(&admin.Services{
		Settings: n.settings.Config, Reload: n.Reload, Registration: n.clients, Keys: n.ring,
		Profiles: profiles, Erasure: n.eraser(links), Trials: operatorsTrials{n}, Backups: backups{n, n.unsealed}, Shards: n.shards, Slots: n.slots, Members: n.members(), ClusterSettings: clusterSettings{n}, Clock: operatorsClock{n}, Degradation: n.rules, Providers: providers, Events: n.everywhere(),
		Viewer: func(id profile.ID) string { return sso.Viewer(n.ring.AuditKey(id.Realm), id) },
	})
	n.own("reloads", closing(n.reloads.close))
	return n.keep()
}

// reachable notes the public listener's address, for the default of publicURL if the
// system chose the port.
func (n *Node) reachable(address string) error {
	n.known.Lock()
	n.http = address
	n.known.Unlock()
	if _, port, err := net.SplitHostPort(n.config.HTTP); err != nil || port != "0" {
		return nil
	}
	n.config.HTTP = address
	cfg, err := n.config.Settings()
	if err != nil {
		return err
	}
	return n.settings.Replace(cfg)
}
