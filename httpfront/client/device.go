package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

// DeviceOptions are what calls say of the device that they are made for.
type DeviceOptions struct {
	// ID names the device, the same at all times: what the platform offers, or a
	// hash of it; 1 to 256 bytes. Calls send it in Base64.
	ID string
	// Info describes the device (X-Device-Info).
	Info Info
	// UserAgent is that of the device; empty: Go's.
	UserAgent string
	// Address is the device's own, where a server calls on its behalf
	// (X-Forwarded-For). The service believes it from proxies that it trusts.
	Address string
	// SubjectToken is what the device's platform says of its viewer
	// (Adobe-Subject-Token), for single sign-on by the platform.
	SubjectToken string
	// Header has further headers: AP-Visitor-Identifier, AP-TempPass-Identity,
	// AP-Partner-Framework-Status and others.
	Header http.Header
}

// Info are members of X-Device-Info; those that are empty are not sent. What is
// missing is taken from the User-Agent.
type Info struct {
	PrimaryHardwareType string `json:"primaryHardwareType,omitempty"` // TV, MobilePhone, SetTopBox, ...
	Model               string `json:"model,omitempty"`
	Version             string `json:"version,omitempty"`
	Manufacturer        string `json:"manufacturer,omitempty"`
	Vendor              string `json:"vendor,omitempty"`
	OSName              string `json:"osName,omitempty"` // Android, iOS, Linux, tvOS, webOS, ...
	OSFamily            string `json:"osFamily,omitempty"`
	OSVendor            string `json:"osVendor,omitempty"`
	OSVersion           string `json:"osVersion,omitempty"`
	ConnectionType      string `json:"connectionType,omitempty"` // WiFi, LAN, 4G, ...
	DisplayWidth        int    `json:"displayWidth,omitempty"`   // pixels
	DisplayHeight       int    `json:"displayHeight,omitempty"`
	DiagonalScreenSize  string `json:"diagonalScreenSize,omitempty"` // inches
	ApplicationID       string `json:"applicationId,omitempty"`
}

// encode is Info as a header, empty if nothing is said.
func (i Info) encode() string {
	if i == (Info{}) {
		return ""
	}
	text, err := json.Marshal(i)
	if err != nil {
		panic(err) // strings and numbers can be encoded
	}
	return base64.StdEncoding.EncodeToString(text)
}

// Device is a device on whose behalf a [Client] calls, with its service token.
type Device struct {
	client  *Client
	headers http.Header
	id      string
	service cache

	mu   sync.Mutex
	held ServiceToken
}

// Device makes one; it has no service token yet, and the service need not know it.
func (c *Client) Device(o DeviceOptions) *Device {
	d := &Device{client: c, headers: http.Header{}, id: base64.StdEncoding.EncodeToString([]byte(o.ID))}
	for name, values := range o.Header {
		d.headers[http.CanonicalHeaderKey(name)] = values
	}
	for name, value := range map[string]string{
		"Ap-Device-Identifier": "fingerprint " + d.id, "X-Device-Info": o.Info.encode(), "User-Agent": o.UserAgent,
		"X-Forwarded-For": o.Address, "Adobe-Subject-Token": o.SubjectToken,
	} {
		if value != "" {
			d.headers.Set(name, value)
		}
	}
	return d
}

// ID is the device's id as lists of devices have it: Base64 of [DeviceOptions.ID].
func (d *Device) ID() string { return d.id }

// ServiceToken says which viewer's the device is.
type ServiceToken struct {
	Token     string `json:"serviceToken"`
	NotBefore Time   `json:"notBefore"`
	// NotAfter is when the token expires. It can be renewed for some days longer,
	// as long as the device is a member.
	NotAfter Time `json:"notAfter"`
}

// Restore gives the device a service token: one that was kept over a restart, or
// one of an external identity service, without NotAfter, which is never renewed.
func (d *Device) Restore(t ServiceToken) {
	var life time.Duration
	if !t.NotAfter.IsZero() {
		life = max(t.NotAfter.Sub(d.client.options.Now()), 1)
	}
	d.keep(t, life)
}

// keep takes a token that lives so long from now on.
func (d *Device) keep(t ServiceToken, life time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = t
	d.service.set(t.Token, d.client.options.Now(), life)
}

// life is that of a token that was just issued, by the clock of whoever did: that of
// a device may be wrong.
func (t *ServiceToken) life() time.Duration { return t.NotAfter.Sub(t.NotBefore.Time) }

// Forget drops the service token.
func (d *Device) Forget() { d.Restore(ServiceToken{}) }

// Token is the service token that the device has; it may have expired.
func (d *Device) Token() ServiceToken {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held
}

// ErrNoServiceToken says that the device has to Mint or Redeem first.
var ErrNoServiceToken = errors.New("the device has no service token")

// bearer is the service token for a call, renewed before it expires.
func (d *Device) bearer(ctx context.Context) (string, error) {
	if d.Token().Token == "" {
		return "", ErrNoServiceToken
	}
	return d.service.get(ctx, d.client.options.Now, func(ctx context.Context) (string, time.Duration, error) {
		t, err := d.renew(ctx)
		return t.Token, t.life(), err
	})
}

// Mint makes the device a member of the viewer's SSO profile and keeps its service
// token. The id names the viewer, the same on every device: opaque, and no e-mail
// address (or a signed token, where the realm wants one). It founds the profile if
// there is none. httpfront/openapi.yaml#createServiceToken
func (d *Device) Mint(ctx context.Context, ssoID string) (ServiceToken, error) {
	return d.enter(ctx, "X-Sso-Id", ssoID, false)
}

// Redeem makes the device a member of the profile that a link code is of, and keeps
// its service token. An error [CodeTokenInvalid] means that the code admits nobody,
// or nobody any more.
func (d *Device) Redeem(ctx context.Context, code string) (ServiceToken, error) {
	return d.enter(ctx, "X-Sso-Link", code, false)
}

func (d *Device) enter(ctx context.Context, header, value string, once bool) (t ServiceToken, err error) {
	headers := d.headers.Clone()
	headers.Set(header, value)
	k := &call{operation: "createServiceToken", method: http.MethodPost, path: d.client.sso("serviceToken"), headers: headers, repeatable: true, once: once}
	if err = d.client.do(ctx, k, &t); err == nil {
		d.keep(t, t.life())
	}
	return t, err
}

// Refresh renews the service token now. Calls do it by themselves before it expires.
// httpfront/openapi.yaml#refreshServiceToken
func (d *Device) Refresh(ctx context.Context) (ServiceToken, error) {
	t, err := d.renew(ctx)
	if err == nil {
		d.keep(t, t.life())
	}
	return t, err
}

func (d *Device) renew(ctx context.Context) (t ServiceToken, err error) {
	held := d.Token().Token
	if held == "" {
		return t, ErrNoServiceToken
	}
	k := &call{operation: "refreshServiceToken", method: http.MethodGet, path: d.client.sso("serviceToken"), headers: d.with(held), repeatable: true}
	if err = d.client.do(ctx, k, &t); err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.held = t
	}
	return t, err
}

func (d *Device) with(token string) http.Header {
	headers := d.headers.Clone()
	headers.Set("Ad-Service-Token", token)
	return headers
}

// prove makes a call with the service token, which has to be there if it must. One
// that has expired although the device's clock says otherwise is renewed, once.
func (d *Device) prove(ctx context.Context, k *call, must bool, out any) error {
	token, err := d.bearer(ctx)
	if errors.Is(err, ErrNoServiceToken) && !must {
		k.headers = d.headers
		return d.client.do(ctx, k, out)
	}
	if err != nil {
		return err
	}
	k.headers = d.with(token)
	err = d.client.do(ctx, k, out)
	if e, ok := err.(*Error); !ok || e.Code != CodeTokenExpired || e.AccessToken || !d.service.spoil(token, d.client.options.Now()) {
		return err
	}
	if token, err = d.bearer(ctx); err != nil {
		return err
	}
	k.headers = d.with(token)
	return d.client.do(ctx, k, out)
}

// sso is a call of the SSO Service, v2 one of the entitlement API, where a service
// token helps to find a login that was made on another device.
func (d *Device) sso(ctx context.Context, k *call, out any) error { return d.prove(ctx, k, true, out) }

func (d *Device) v2(ctx context.Context, k *call, out any) error { return d.prove(ctx, k, false, out) }
