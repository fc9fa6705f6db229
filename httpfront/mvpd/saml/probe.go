package saml

import (
	"cmp"
	"context"
	"crypto/x509"
	"net/http"
	"slices"
	"time"

	"ssod/httpfront/mvpd"
)

// probeTimeout bounds each question of a test.
const probeTimeout = 3 * time.Second

// Test implements [mvpd.Tester].
func (c *Connector) Test(ctx context.Context, r *mvpd.Report, l mvpd.Login) {
	keys, err := c.keys.get()
	if err != nil {
		r.Fail("own keys", "mend keyFile and certFile", "%v", err)
		return
	}
	names := []string{"certFile", "nextCertFile"}
	for i, p := range keys {
		r.Certificate("own keys", "this service ("+names[i]+")", p.certificate.NotBefore, p.certificate.NotAfter, mvpd.Warn)
	}
	r.OK("own metadata", "this service is %s; its metadata is at %s/metadata", c.entityID(), c.base)
	d := c.testMetadata(ctx, r)
	if d == nil {
		return
	}
	r.OK("entity id", "the provider is %s", d.issuer)
	for _, k := range d.keys {
		r.Certificate("signing keys", "the provider ("+cmp.Or(k.Subject.CommonName, "no name")+")", k.NotBefore, k.NotAfter, mvpd.Warn)
	}
	d.testBindings(r)
	c.testLogin(ctx, r, ours{c, keys, d}, l)
}

// testMetadata reads the metadata anew; nil if there is none.
func (c *Connector) testMetadata(ctx context.Context, r *mvpd.Report) (d *description) {
	const advice = "have the provider send its metadata again, or ask it what has changed"
	var err error
	from := c.config.MetadataFile
	if far, ok := c.source.(*remote); ok {
		from = far.url
		v, ok := visit(ctx, r, far.client, "metadata", from)
		switch {
		case !ok:
			return nil
		case v.Status != http.StatusOK:
			r.Fail("metadata", "check metadataURL", "%s %s", from, v.Answered())
			return nil
		}
		by, err := signers(far.certFile)
		if err != nil {
			r.Fail("metadata", "mend the file of metadataCertFile", "%v", err)
			return nil
		}
		if d, err = parseMetadata(v.Body, by, far.id); err != nil {
			r.Fail("metadata", advice, "%s: %v", from, err)
			return nil
		}
	} else if d, err = readMetadata(c.config); err != nil {
		r.Fail("metadata", advice, "%v", err)
		return nil
	}
	switch left := d.until.Sub(r.Now); {
	case d.until.IsZero():
		r.OK("metadata", "%s", from)
	case left <= 0:
		r.Fail("metadata", advice, "%s was good until %s", from, d.until.UTC().Format(time.RFC3339))
		return nil
	case left < soonOver && c.config.MetadataFile != "":
		r.Warn("metadata", advice, "%s is good until %s only", from, d.until.UTC().Format(time.RFC3339))
	default:
		r.OK("metadata", "%s, good until %s", from, d.until.UTC().Format(time.RFC3339))
	}
	return d
}

// soonOver is how long a file of metadata must be good at least.
const soonOver = 7 * 24 * time.Hour

func visit(ctx context.Context, r *mvpd.Report, client *http.Client, check, at string) (mvpd.Visited, bool) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		r.Fail(check, "check the address", "%q is no URL", at)
		return mvpd.Visited{}, false
	}
	fresh := *client
	fresh.Timeout = probeTimeout
	return r.Visit(&fresh, q, check)
}

// testBindings says where logins and logouts go.
func (d *description) testBindings(r *mvpd.Report) {
	names := map[string]string{redirectBinding: "HTTP-Redirect", postBinding: "HTTP-POST"}
	for _, binding := range []string{redirectBinding, postBinding} {
		if to, ok := d.sso[binding]; ok {
			r.OK("login", "over %s at %s", names[binding], to.requests)
		}
	}
	if len(d.slo) == 0 {
		r.Warn("logout", "nothing can be done here; a browser stays logged in at the provider", "the provider has no single logout over HTTP-Redirect or HTTP-POST")
	}
	for _, binding := range []string{redirectBinding, postBinding} {
		if to, ok := d.slo[binding]; ok {
			r.OK("logout", "over %s at %s", names[binding], to.requests)
		}
	}
}

// testLogin opens the page where a viewer would log in, as a browser does.
func (c *Connector) testLogin(ctx context.Context, r *mvpd.Report, o ours, l mvpd.Login) {
	to, ok := o.sso[redirectBinding]
	if !ok {
		r.OK("login url", "none: the browser posts the request")
		return
	}
	at, err := o.pairs[0].redirect(to.requests, requestParameter, o.authnRequest(l, to.requests), l.State)
	if err != nil {
		r.Fail("login page", "mend keyFile", "the request cannot be signed: %v", err)
		return
	}
	client, err := mvpd.NewClient(c.config.CAFile)
	if err != nil {
		r.Fail("login page", "mend the file of caFile", "%v", err)
		return
	}
	defer client.CloseIdleConnections()
	v, ok := visit(ctx, r, client, "login page", at)
	switch {
	case !ok:
	case v.Status >= http.StatusInternalServerError:
		r.Fail("login page", "ask the provider; some answer so where they do not know this service's metadata", "the provider's login page %s", v.Answered())
	case v.Status >= http.StatusBadRequest:
		r.Fail("login page", "give the provider this service's metadata, "+c.base+"/metadata", "the provider's login page %s", v.Answered())
	default:
		r.OK("login page", "%s", v.Answered())
	}
	r.OK("login url", "%s", at)
}

// Health implements [mvpd.Watched].
func (c *Connector) Health() []*mvpd.Health {
	if far, ok := c.source.(*remote); ok {
		return mvpd.HealthOf(far.client, c.Decider)
	}
	return mvpd.HealthOf(c.Decider)
}

// Certificates implements [mvpd.Certified].
func (c *Connector) Certificates() (all []mvpd.Certificate) {
	keys, _ := c.keys.get() // what cannot be read is told in the log
	for _, p := range keys {
		all = append(all, mvpd.Certificate{Use: mvpd.CertOwn, NotAfter: p.certificate.NotAfter})
	}
	var d *description
	switch s := c.source.(type) {
	case *remote:
		d = s.current.Load().description
	case *local:
		d, _ = s.get() // the same
	}
	if d != nil { // the others may be on their way out
		last := slices.MaxFunc(d.keys, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		all = append(all, mvpd.Certificate{Use: mvpd.CertSigning, NotAfter: last.NotAfter})
	}
	return all
}
