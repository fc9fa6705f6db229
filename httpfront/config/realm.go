package config

import (
	"fmt"
	"slices"
	"time"
)

var (
	algorithms = []string{"HS256", "RS256"}

	// Words of the API's paths, which an id in the same place would hide;
	// httpfront/docs/entitlement.md#common-rules.
	reservedProviders = []string{"v1", "v2", "authenticate", "sessions", "logout", "logout-agent"}
	reservedMVPDs     = []string{"code", "sso"}
)

// Ranges of httpfront/docs/limits.md#lifetimes.
var (
	serviceTokenLife = bounds{5 * time.Minute, 24 * time.Hour}
	linkCodeLife     = bounds{time.Minute, time.Hour}
)

// Less than minWrongHits would leave no code of six digits, more than maxWrongHits
// is no bound.
const (
	minWrongHits = 0.001
	maxWrongHits = 100_000
)

// maxWindow bounds the refresh window: a token that can be refreshed for
// longer than a year is a password.
const maxWindow = 365 * 24 * time.Hour

func (k *checker) serviceProviders(key string, realm *Realm, taken map[string]string) {
	if len(realm.ServiceProviders) == 0 {
		k.mistake(key, "is missing: a realm needs at least one service provider")
	}
	for i, sp := range realm.ServiceProviders {
		at := fmt.Sprintf("%s[%d]", key, i)
		k.id(at+".id", sp.ID, reservedProviders...)
		k.unique(taken, at+".id", sp.ID)
		if sp.ID != "" {
			k.text(at+".displayName", sp.DisplayName)
		}
		k.brand(at, sp.Brand(), sp.DarkColor != "")
		for j, domain := range sp.Domains {
			k.domain(fmt.Sprintf("%s.domains[%d]", at, j), domain)
		}
	}
}

func (k *checker) realm(key string, r *Realm) {
	k.serviceToken(key+".serviceToken", r)
	k.ssoID(key, r)
	k.between(key+".maxDevices", r.MaxDevices, 1, 1000)
	k.linkCode(key+".linkCode", r.LinkCode)
	k.guessing(key+".guessing", r.Guessing)
	k.origins(key+".cors.origins", r.CORS.Origins)
	k.trustedIssuers(key+".trustedIssuers", r.TrustedIssuers)
	k.platforms(key+".platforms", r.Platforms)
	k.mvpds(key+".mvpds", r)
	k.partners(key+".partners", r)
	k.degradation(key+".degradation", r)
	k.webhooks(key+".webhooks", r)
	k.session(key+".session", r.Session)
	k.lifetime(key+".mediaToken.ttl", r.MediaToken.TTL, bounds{time.Minute, time.Hour})
	k.between(key+".limits.authorize", r.Limits.Authorize, 1, 100)
	k.between(key+".limits.preauthorize", r.Limits.Preauthorize, 1, 100)
}

func (k *checker) serviceToken(key string, r *Realm) {
	t := r.ServiceToken
	k.oneOf(key+".algorithm", t.Algorithm, algorithms...)
	k.lifetime(key+".ttl", t.TTL, serviceTokenLife)
	if t.RefreshWindow < 0 || t.RefreshWindow > maxWindow {
		k.mistake(key+".refreshWindow", "%v is not between 0 and %v", t.RefreshWindow, maxWindow)
	}
	if _, given := k.lines[key+".maxAge"]; given {
		k.lifetime(key+".maxAge", t.MaxAge, bounds{24 * time.Hour, maxLifetime})
	}
	if age := t.ChainAge(true); age < t.TTL {
		k.warn(key+".maxAge", "%v is shorter than ttl (%v): no token lives longer than it", age, t.TTL)
	}
	if r.TokenLife() > k.c.MemberRetention {
		k.warn("memberRetention", "%v is shorter than the life of a token of realm %s (%v): devices are dropped that could still refresh", k.c.MemberRetention, r.ID, r.TokenLife())
	}
}

func (k *checker) ssoID(key string, r *Realm) {
	k.oneOf(key+".ssoId.mode", r.SSOID.Mode, "asserted", "signed")
	if r.SSOID.Mode != "signed" {
		if public(k.c.PublicURL) {
			k.warn(key+".ssoId.mode", "asserted believes every app who its viewer is, and publicURL is a public address: whoever takes a software statement out of an app can name any viewer. Use signed, or make the statements that are shipped in apps with ssoctl statement --no-assert-identity")
		}
		return
	}
	if len(r.TrustedIssuers) == 0 {
		k.mistake(key+".ssoId.mode", "signed needs trustedIssuers: nobody's signature would be accepted")
	}
	if r.DeviceDefaultSSOID {
		k.mistake(key+".deviceDefaultSsoId", "contradicts ssoId.mode signed: a device id is not signed by anybody")
	}
}

func (k *checker) linkCode(key string, l LinkCode) {
	k.between(key+".length", l.Length, 4, 10)
	if l.Length == 4 || l.Length == 5 {
		k.warn(key+".length", "%d characters are guessed easily; 6 or more are advised", l.Length)
	}
	k.oneOf(key+".alphabet", l.Alphabet, "digits", "alphanumeric")
	k.lifetime(key+".ttl", l.TTL, linkCodeLife)
	k.between(key+".maxPerProfile", l.MaxPerProfile, 1, 100)
	k.between(key+".maxIssued", l.MaxIssued, 1, 100_000)
	k.between(key+".maxLive", l.MaxLive, 1, 2_000_000)
	k.oneOf(key+".otherNetwork", l.OtherNetwork, "allow", "confirm", "deny")
}

func (k *checker) session(key string, s Session) {
	k.lifetime(key+".ttl", s.TTL, bounds{time.Minute, 24 * time.Hour})
	k.oneOf(key+".confirm", s.Confirm, ConfirmOtherNetwork, ConfirmAlways, ConfirmNever)
	if s.Confirm == ConfirmNever {
		k.warn(key+".confirm", "never asks viewers whose device it is: whoever sends them a link gets a login of theirs")
	}
}

func (k *checker) guessing(key string, g Guessing) {
	k.between(key+".perDevice", g.PerDevice, 1, 1_000_000_000)
	k.between(key+".perAddress", g.PerAddress, 1, 1_000_000_000)
	if !(g.WrongHitsPerDay >= minWrongHits && g.WrongHitsPerDay <= maxWrongHits) { // NaN is neither
		k.mistake(key+".wrongHitsPerDay", "%v is not between %v and %v", g.WrongHitsPerDay, minWrongHits, maxWrongHits)
	}
	if g.PerRealm != nil {
		k.warn(key+".perRealm", "has no effect: what guessers may hit in the realm is bounded by wrongHitsPerDay")
	}
}

func (k *checker) degradation(key string, r *Realm) {
	seen := map[string]string{}
	for i, d := range r.Degradation {
		at := fmt.Sprintf("%s[%d]", key, i)
		k.provider(at+".serviceProvider", r, d.ServiceProvider)
		if !slices.ContainsFunc(r.MVPDs, func(m MVPD) bool { return m.ID == d.MVPD }) {
			k.mistake(at+".mvpd", "%q is not an MVPD of the realm", clip(d.MVPD))
		}
		k.oneOf(at+".rule", d.Rule, Rules()...)
		k.unique(seen, at, d.ServiceProvider+" "+d.MVPD)
	}
}

// provider checks a reference to a service provider of the realm.
func (k *checker) provider(key string, r *Realm, id string) {
	if !slices.ContainsFunc(r.ServiceProviders, func(sp ServiceProvider) bool { return sp.ID == id }) {
		k.mistake(key, "%q is not a service provider of the realm", clip(id))
	}
}
