package config

import "time"

// provider is where a service provider is found.
type provider struct {
	realm *Realm
	sp    *ServiceProvider
}

// indexed makes the tables for look-ups and returns c.
func (c *Config) indexed() *Config {
	c.realms = make(map[string]*Realm, len(c.Realms))
	c.providers = make(map[string]provider)
	c.origins = make(map[string]struct{})
	for _, realm := range c.Realms {
		c.realms[realm.ID] = realm
		for _, origin := range realm.CORS.Origins {
			c.origins[origin] = struct{}{}
		}
		for i := range realm.ServiceProviders {
			sp := &realm.ServiceProviders[i]
			c.providers[sp.ID] = provider{realm, sp}
		}
	}
	return c
}

// ServiceProvider finds a service provider and its realm by id. It allocates
// nothing; a Config that was put together by hand is searched.
func (c *Config) ServiceProvider(id string) (*Realm, *ServiceProvider, bool) {
	if c.providers == nil {
		return (&Config{Realms: c.Realms}).indexed().ServiceProvider(id)
	}
	p, ok := c.providers[id]
	return p.realm, p.sp, ok
}

// Realm finds a realm by id.
func (c *Config) Realm(id string) (*Realm, bool) {
	if c.realms == nil {
		return (&Config{Realms: c.Realms}).indexed().Realm(id)
	}
	realm, ok := c.realms[id]
	return realm, ok
}

// TokenLife is the longest time after its issue at which one of the realm's
// service tokens can still be refreshed.
func (r *Realm) TokenLife() time.Duration {
	return r.ServiceToken.TTL + r.ServiceToken.RefreshWindow
}

// ChainAge is maxAge of tokens for a viewer for whom an external identity service vouches,
// or an app.
func (t *ServiceToken) ChainAge(external bool) time.Duration {
	switch {
	case t.MaxAge != 0:
		return t.MaxAge
	case external:
		return DefaultExternalMaxAge
	default:
		return DefaultMaxAge
	}
}

// Rule is the rule of degradation between a service provider and an MVPD; empty: none.
func (r *Realm) Rule(serviceProvider, mvpd string) string {
	for _, d := range r.Degradation {
		if d.ServiceProvider == serviceProvider && d.MVPD == mvpd {
			return d.Rule
		}
	}
	return ""
}
