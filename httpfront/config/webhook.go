package config

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"ssod/cluster/secretfile"
)

// Webhook is a receiver of a realm's events; httpfront/docs/events.md#receive.
type Webhook struct {
	// URL is where events are posted: https, or http on loopback.
	URL string `yaml:"url"`
	// SecretFile has what signs events: whsec_ and Base64, one in a line. The first one is the
	// newest; all of them sign, so that a receiver can change from one to the next.
	SecretFile string `yaml:"secretFile"`
	// Events are the types that the receiver wants; none means all.
	Events []string `yaml:"events"`
	// MVPD makes the receiver that of a TV provider: it is told of the provider's viewers
	// only, by their ids there.
	MVPD string `yaml:"mvpd"`
	// ServiceProviders narrow what is told of logins, decisions and degradations; none
	// means all. Devices belong to the realm and are told of in any case.
	ServiceProviders []string `yaml:"serviceProviders"`
	// CAFile has the certificate authorities of the receiver, if they are private.
	CAFile string `yaml:"caFile"`
	// AllowPrivate lets events go to private and link-local addresses. Without it
	// a name that leads there, by mistake or malice, reaches nothing inside.
	AllowPrivate bool `yaml:"allowPrivate"`
}

// EventTypes are the types of httpfront/docs/events.md#types.
var EventTypes = []string{
	"device.joined", "device.linked", "device.unlinked", "login.completed", "login.ended",
	"decision.denied", "degradation.set", "degradation.ended", "linkcode.attack", "events.dropped",
}

// Wants reports whether the webhook wants events of a type.
func (w Webhook) Wants(event string) bool {
	return len(w.Events) == 0 || slices.Contains(w.Events, event)
}

// Tells reports whether any receiver of the realm wants events of a type.
func (r *Realm) Tells(event string) bool {
	return slices.ContainsFunc(r.Webhooks, func(w Webhook) bool { return w.Wants(event) })
}

// maxWebhooks bounds those of a realm: each event is stored once for each that wants it.
const maxWebhooks = 16

func (k *checker) webhooks(key string, r *Realm) {
	if len(r.Webhooks) > maxWebhooks {
		k.mistake(key, "has %d; at most %d", len(r.Webhooks), maxWebhooks)
	}
	seen := map[string]string{}
	for i, w := range r.Webhooks {
		at := fmt.Sprintf("%s[%d]", key, i)
		k.receiver(at+".url", w)
		if first, again := seen[w.URL+" "+w.MVPD]; again && w.URL != "" { // not quoted: there may be a secret in it
			k.mistake(at+".url", "is that of %s in line %d", first, k.line(first))
		} else {
			seen[w.URL+" "+w.MVPD] = at + ".url"
		}
		k.text(at+".secretFile", w.SecretFile)
		for j, e := range w.Events {
			k.oneOf(fmt.Sprintf("%s.events[%d]", at, j), e, EventTypes...)
		}
		if w.MVPD != "" && !slices.ContainsFunc(r.MVPDs, func(m MVPD) bool { return m.ID == w.MVPD }) {
			k.mistake(at+".mvpd", "%q is not an MVPD of the realm", clip(w.MVPD))
		}
		for j, id := range w.ServiceProviders {
			k.provider(fmt.Sprintf("%s.serviceProviders[%d]", at, j), r, id)
		}
	}
}

// receiver checks where events go.
func (k *checker) receiver(key string, w Webhook) {
	k.remote(key, w.URL)
	u, err := url.Parse(w.URL)
	if err != nil {
		return
	}
	if u.Fragment != "" {
		k.mistake(key, "must not have a fragment: it is not sent")
	}
	address, err := netip.ParseAddr(u.Hostname())
	if err == nil && (address.IsPrivate() || address.IsLinkLocalUnicast()) && !w.AllowPrivate {
		k.mistake(key, "is a private address, which needs allowPrivate: true")
	}
}

// Secrets reads what signs the webhook's events, the newest first.
func (w Webhook) Secrets() ([][]byte, error) {
	content, err := secretfile.Read(w.SecretFile)
	if err != nil {
		return nil, err
	}
	var secrets [][]byte
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		encoded, ok := strings.CutPrefix(line, "whsec_")
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(secret) < 24 || len(secret) > 64 {
			return nil, fmt.Errorf("%s: a line is not whsec_ and the Base64 of 24 to 64 bytes", w.SecretFile)
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 || len(secrets) > 4 {
		return nil, fmt.Errorf("%s: %d secrets, and not 1 to 4", w.SecretFile, len(secrets))
	}
	return secrets, nil
}

func (w Webhook) usable() (warning string, err error) {
	_, err = w.Secrets()
	return "", err
}
