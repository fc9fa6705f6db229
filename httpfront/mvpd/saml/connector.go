package saml

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/pdp"
)

// Kind is the kind of these providers in the configuration.
const Kind = "saml"

// skew is how far the provider's clock and ours may be apart.
const skew = 2 * time.Minute

// Options is what connectors need of the service around them.
type Options struct {
	Now func() time.Time // nil means time.Now
	Log *slog.Logger     // nil means slog.Default
}

// Maker makes connectors.
func Maker(o Options) mvpd.Maker {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	return func(cfg *config.Config, realm *config.Realm, m *config.MVPD) (mvpd.Connector, error) {
		client, err := mvpd.NewClient(m.CAFile)
		if err != nil {
			return nil, err
		}
		paths := keyFiles(m)
		c := &Connector{
			config: m, base: cfg.PublicURL + "/saml/" + realm.ID + "/" + m.ID,
			keys: &files[pairs]{paths: paths, log: o.Log, mvpd: m.ID, read: func() (pairs, error) { return readPairs(paths) }},
			now:  o.Now, source: newSource(m, client, o),
		}
		if c.Decider, err = pdp.New(m, pdp.Options{Issuer: c.entityID(), Now: o.Now, Log: o.Log}); err != nil {
			return nil, err
		}
		_, err = c.keys.get()
		return c, err
	}
}

// Connector is one provider. It is a [mvpd.Receiver].
type Connector struct {
	mvpd.Decider
	config    *config.MVPD
	base      string // of its endpoints here
	keys      *files[pairs]
	source    source
	now       func() time.Time
	published atomic.Pointer[published]
}

// The endpoints here.
func (c *Connector) consumerURL() string { return c.base + "/acs" }
func (c *Connector) logoutURL() string   { return c.base + "/slo" }

// entityID is what the provider knows this service by.
func (c *Connector) entityID() string { return cmp.Or(c.config.EntityID, c.base+"/metadata") }

// ours is what messages are made and read with.
type ours struct {
	*Connector
	pairs
	*description
}

// ready returns the keys and what is known of the provider.
func (c *Connector) ready(ctx context.Context) (ours, error) {
	keys, err := c.keys.get()
	if err != nil {
		return ours{}, err
	}
	d, err := c.source.describe(ctx)
	if err != nil {
		return ours{}, unavailable(err)
	}
	return ours{c, keys, d}, nil
}

// Begin implements [mvpd.Connector].
func (c *Connector) Begin(ctx context.Context, l mvpd.Login) (mvpd.Step, error) {
	o, err := c.ready(ctx)
	if err != nil {
		return mvpd.Step{}, err
	}
	return o.send(o.sso, requestParameter, l.State, func(to string) *etree.Element { return o.authnRequest(l, to) })
}

// requestID is the ID of a login's request. Whoever knows it has seen the request; it is
// the same when the answer is compared with it, so it is not stored.
func requestID(s mvpd.Secrets) string { return requestPrefix + s.Nonce }

// requestPrefix makes an ID of a nonce, which may begin with a digit.
const requestPrefix = "_"

// authnRequest asks for a viewer; SAML Core 2.0, 3.4.1.
func (o *ours) authnRequest(l mvpd.Login, to string) *etree.Element {
	format, create := persistentFormat, true
	request := &crewjam.AuthnRequest{
		ID: requestID(l.Secrets), Version: version, IssueInstant: o.now().UTC(), Destination: to,
		Issuer:                      &crewjam.Issuer{Format: entityFormat, Value: o.entityID()},
		NameIDPolicy:                &crewjam.NameIDPolicy{Format: &format, AllowCreate: &create},
		AssertionConsumerServiceURL: o.consumerURL(), ProtocolBinding: postBinding,
	}
	if l.ServiceProviderID != "" {
		request.Scoping = &crewjam.Scoping{RequesterIDs: []string{l.ServiceProviderID}}
	}
	return request.Element()
}

// Complete implements [mvpd.Connector]. The values are those of an [mvpd.Answer].
func (c *Connector) Complete(_ context.Context, l mvpd.Login, values url.Values) (mvpd.Identity, error) {
	v, err := decodeVerdict(values)
	if err != nil {
		return mvpd.Identity{}, err
	}
	if !same(v.InResponseTo, requestID(l.Secrets)) {
		return mvpd.Identity{}, invalid(errAnotherLogin)
	}
	if len(v.Status) > 0 {
		return mvpd.Identity{}, v.refusal()
	}
	return v.identity(), nil
}
