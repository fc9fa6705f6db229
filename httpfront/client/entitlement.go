package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// Configuration is what an app may know of its service provider. Worth keeping for
// some minutes.
type Configuration struct {
	Requestor struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Domains []struct {
			Name string `json:"name"`
		} `json:"domains"`
		MVPDs []MVPD `json:"mvpds"`
	} `json:"requestor"`
	Time Time `json:"time"` // the service's clock
}

// MVPD is a TV provider to choose.
type MVPD struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	LogoURL     string `json:"logoUrl"`
	IsTempPass  bool   `json:"isTempPass"`
}

// Configuration reads it. httpfront/openapi.yaml#readConfiguration
func (d *Device) Configuration(ctx context.Context) (c Configuration, err error) {
	k := &call{operation: "readConfiguration", method: http.MethodGet, path: d.client.v2("configuration"), headers: d.headers, repeatable: true}
	err = d.client.do(ctx, k, &c)
	return c, err
}

// Profile is a login at an MVPD that is good.
type Profile struct {
	NotBefore Time   `json:"notBefore"`
	NotAfter  Time   `json:"notAfter"`
	Issuer    string `json:"issuer"`
	// Type is regular for the device's own login, serviceTokenSSO or platformSSO
	// for one of another device, and degraded where the operator does without logins.
	Type       string               `json:"type"`
	Attributes map[string]Attribute `json:"attributes"`
}

// Attribute is what an MVPD says of its viewer.
type Attribute struct {
	Value json.RawMessage `json:"value"`
	State string          `json:"state"` // plain or enc
}

// Profiles finds the logins of the device and of its viewer, by MVPD.
// httpfront/openapi.yaml#listProfiles
func (d *Device) Profiles(ctx context.Context) (map[string]Profile, error) {
	return d.profiles(ctx, &call{operation: "listProfiles", method: http.MethodGet, path: d.client.v2("profiles")})
}

// ProfileByMVPD is Profiles for one MVPD. httpfront/openapi.yaml#readProfileByMvpd
func (d *Device) ProfileByMVPD(ctx context.Context, mvpd string) (map[string]Profile, error) {
	return d.profiles(ctx, &call{operation: "readProfileByMvpd", method: http.MethodGet, path: d.client.v2("profiles", mvpd)})
}

// ProfileByCode is the login that a session has led to; none while it is in
// progress. [CodeAuthenticationSession] says that it is over, or that the device has
// begun another one. httpfront/openapi.yaml#readProfileByCode
func (d *Device) ProfileByCode(ctx context.Context, code string) (map[string]Profile, error) {
	return d.profileByCode(ctx, code, false)
}

func (d *Device) profileByCode(ctx context.Context, code string, once bool) (map[string]Profile, error) {
	return d.profiles(ctx, &call{operation: "readProfileByCode", method: http.MethodGet, path: d.client.v2("profiles", "code", code), once: once})
}

// PartnerProfile logs in with what a partner says, in Base64.
// httpfront/openapi.yaml#createPartnerProfile
func (d *Device) PartnerProfile(ctx context.Context, partner, samlResponse string) (map[string]Profile, error) {
	return d.profiles(ctx, &call{
		operation: "createPartnerProfile", method: http.MethodPost, path: d.client.v2("profiles", "sso", partner),
		form: map[string][]string{"SAMLResponse": {samlResponse}},
	})
}

func (d *Device) profiles(ctx context.Context, k *call) (map[string]Profile, error) {
	var out struct {
		Profiles map[string]Profile `json:"profiles"`
	}
	k.repeatable = true
	err := d.v2(ctx, k, &out)
	return out.Profiles, err
}

// AwaitProfile waits until the login that CreateSession has begun is there. It ends
// with an error [CodeAuthenticationSession] when the viewer takes too long or the
// device begins another login.
func (d *Device) AwaitProfile(ctx context.Context, s Session) (p Profile, err error) {
	err = d.client.await(ctx, func(ctx context.Context) (bool, error) {
		found, err := d.profileByCode(ctx, s.Code, true)
		for _, p = range found {
			return true, err
		}
		return false, err
	})
	return p, err
}

// Decision is whether a resource may be watched.
type Decision struct {
	Resource string `json:"resource"`
	MVPD     string `json:"mvpd"`
	// Source is mvpd, or degradation if a rule of the operator answers in its place.
	Source     string `json:"source"`
	Authorized bool   `json:"authorized"`
	// Token is the media token of a permit, only by [Device.Authorize]. It is good
	// for one playback and is never kept.
	Token *MediaToken `json:"token"`
	// Error is why it is denied; nil: it is not. With the action retry it was no
	// decision: ask again.
	Error *Error `json:"error"`
}

// MediaToken proves a permit to the backend that delivers the video.
type MediaToken struct {
	NotBefore  Time   `json:"notBefore"`
	NotAfter   Time   `json:"notAfter"`
	Serialized string `json:"serializedToken"`
}

// Authorize asks whether resources may be watched now: usually one.
// httpfront/openapi.yaml#authorize
func (d *Device) Authorize(ctx context.Context, mvpd string, resources ...string) ([]Decision, error) {
	return d.decide(ctx, "authorize", mvpd, resources)
}

// Preauthorize asks what may be watched, for a list of channels: usually five at a
// time. httpfront/openapi.yaml#preauthorize
func (d *Device) Preauthorize(ctx context.Context, mvpd string, resources ...string) ([]Decision, error) {
	return d.decide(ctx, "preauthorize", mvpd, resources)
}

func (d *Device) decide(ctx context.Context, operation, mvpd string, resources []string) ([]Decision, error) {
	var out struct {
		Decisions []Decision `json:"decisions"`
	}
	err := d.v2(ctx, &call{
		operation: operation, method: http.MethodPost, path: d.client.v2("decisions", operation, mvpd),
		json: map[string][]string{"resources": resources}, repeatable: true,
	}, &out)
	for i := range out.Decisions {
		if e := out.Decisions[i].Error; e != nil {
			e.Operation = operation
		}
	}
	return out.Decisions, err
}
