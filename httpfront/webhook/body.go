package webhook

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"time"

	"ssod/actors/event"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// MaxBody is the longest body of an event in bytes.
const MaxBody = 2 << 10

// body is what a receiver gets; httpfront/docs/events.md#body.
type body struct {
	Type      event.Type `json:"type"`
	Timestamp string     `json:"timestamp"`
	Data      data       `json:"data"`
}

// data is that of all types; httpfront/docs/events.md#types says which has what.
type data struct {
	Realm           string `json:"realm,omitempty"`
	ServiceProvider string `json:"serviceProvider,omitempty"`
	SSOID           string `json:"ssoId,omitempty"`
	Issuer          string `json:"issuer,omitempty"`
	MVPD            string `json:"mvpd,omitempty"`
	UserID          string `json:"userID,omitempty"`
	Device          string `json:"device,omitempty"`
	Login           string `json:"login,omitempty"`
	NotAfter        string `json:"notAfter,omitempty"`
	Reason          string `json:"reason,omitempty"`
	Rule            string `json:"rule,omitempty"`
	Until           string `json:"until,omitempty"`
	Count           int    `json:"count,omitempty"`
	Since           string `json:"since,omitempty"`
	Truncated       bool   `json:"truncated,omitempty"`
	*denials
	*attack
}

// denials are those of an [event.DecisionDenied].
type denials struct {
	Denials []denial `json:"denials"`
	Others  int      `json:"others"` // of the count, not in Denials
}

type denial struct {
	ServiceProvider string `json:"serviceProvider"`
	MVPD            string `json:"mvpd"`
	Call            string `json:"call"`
	Code            string `json:"code"`
	Count           int    `json:"count"`
}

// attack is that of an [event.LinkCodeAttack].
type attack struct {
	Failures failures `json:"failures"`
	Refused  int      `json:"refused"`
	Closed   []int    `json:"closed"`
	Meter    float64  `json:"meter"`
}

// failures are by network.
type failures struct {
	Own   int `json:"own"`
	Other int `json:"other"`
}

// bodies are what a receiver is told of a fact: one body, or one for each account of the
// viewer at the receiver's TV provider. key is the realm's, for the device's id there.
func bodies(w *config.Webhook, f event.Fact, at time.Time, key []byte) (all [][]byte) {
	d := data{
		ServiceProvider: f.ServiceProvider, MVPD: f.MVPD, Reason: f.Reason, Rule: f.Rule, Count: f.Count,
		NotAfter: stamp(f.NotAfter), Until: stamp(f.Until), Since: stamp(f.Since),
		Login: base64.RawURLEncoding.EncodeToString(f.Login),
	}
	switch f.Type {
	case event.DecisionDenied:
		return denied(w, f, at)
	case event.LinkCodeAttack:
		d.attack = attackOf(f.Attack)
	}
	if w.MVPD == "" {
		d.Realm, d.SSOID, d.Issuer, d.Device = f.Realm, f.SSOID, f.Issuer, base64.StdEncoding.EncodeToString(f.Device)
		return [][]byte{encode(f.Type, at, d)}
	}
	if f.MVPD != "" && f.MVPD != w.MVPD {
		return nil
	}
	d.MVPD, d.Device = w.MVPD, deviceAt(w.MVPD, f, key)
	if !aboutViewer(f.Type) {
		if f.Type != event.EventsDropped && f.MVPD == "" {
			return nil // not of this provider
		}
		return [][]byte{encode(f.Type, at, d)}
	}
	told := map[string]bool{}
	for _, a := range f.Accounts {
		if a.MVPD == w.MVPD && a.UserID != "" && !told[a.UserID] {
			told[a.UserID] = true
			d.UserID = a.UserID
			all = append(all, encode(f.Type, at, d))
		}
	}
	return all
}

// denied sums up the denials that a receiver may know of: the most frequent ones one by one,
// as many as a body has room for.
func denied(w *config.Webhook, f event.Fact, at time.Time) [][]byte {
	d := data{MVPD: w.MVPD, Since: stamp(f.Since), Until: stamp(f.Until), denials: &denials{}}
	if w.MVPD == "" {
		d.Realm = f.Realm
	}
	for _, n := range f.Denials {
		if (w.MVPD == "" || w.MVPD == n.MVPD) && about(w, n.ServiceProvider) {
			d.Count += n.Count
			d.Denials = append(d.Denials, denial(n))
		}
	}
	if d.Count == 0 {
		return nil
	}
	left := d.Denials[min(len(d.Denials), maxDenials):]
	d.Denials = d.Denials[:len(d.Denials)-len(left)]
	for _, n := range left {
		d.Others += n.Count
	}
	for {
		encoded, _ := json.Marshal(body{Type: f.Type, Timestamp: stamp(at), Data: d}) // such data always can be
		last := len(d.Denials) - 1
		if len(encoded) <= MaxBody || last < 0 {
			return [][]byte{encoded}
		}
		d.Others += d.Denials[last].Count
		d.Denials = d.Denials[:last]
	}
}

// maxDenials bounds the denials of one event. With long ids fewer have room.
const maxDenials = 16

func attackOf(a event.Attack) *attack {
	return &attack{
		Failures: failures{Own: a.Own, Other: a.Other}, Refused: a.Refused,
		Closed: append([]int{}, a.Closed...), Meter: math.Round(1000*a.Meter) / 1000,
	}
}

// aboutViewer reports whether a type is about one viewer.
func aboutViewer(t event.Type) bool {
	switch t {
	case event.DeviceJoined, event.DeviceLinked, event.DeviceUnlinked, event.LoginCompleted, event.LoginEnded:
		return true
	default:
		return false
	}
}

// deviceAt stands for a device at a TV provider, which knows it by this id from decisions,
// too; empty: without a key, since the provider could try which device it is.
func deviceAt(provider string, f event.Fact, key []byte) string {
	if len(f.Device) == 0 || len(key) == 0 {
		return ""
	}
	return mvpd.DeviceAt(key, provider, f.Device)
}

// encode is a body of at most [MaxBody] bytes: what makes it longer is left out.
func encode(t event.Type, at time.Time, d data) []byte {
	b := body{Type: t, Timestamp: stamp(at), Data: d}
	for _, long := range []*string{nil, &b.Data.SSOID, &b.Data.UserID, &b.Data.Device, &b.Data.Issuer} {
		if long != nil {
			*long, b.Data.Truncated = "", true
		}
		if encoded, err := json.Marshal(b); err == nil && len(encoded) <= MaxBody {
			return encoded
		}
	}
	b.Data = data{Truncated: true}
	encoded, _ := json.Marshal(b) // strings always can be
	return encoded
}

// stamp is a time in RFC 3339; none is empty.
func stamp(t time.Time) string {
	if t.IsZero() || t.UnixMilli() == 0 {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
