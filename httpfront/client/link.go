package client

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// LinkCode lets one more device join the profile, once.
type LinkCode struct {
	// Code is for the screen, as text or in a QR code. Who types it may use small
	// letters, spaces and dashes.
	Code      string `json:"code"`
	NotBefore Time   `json:"notBefore"`
	NotAfter  Time   `json:"notAfter"`
	// QR is the code as an SVG document, from [Device.LinkWithQR] only.
	QR string `json:"qr"`
}

// Link makes a link code; the device's earlier one ends.
// httpfront/openapi.yaml#createLinkCode
func (d *Device) Link(ctx context.Context) (LinkCode, error) { return d.link(ctx, nil) }

// LinkWithQR is Link with the code as a picture too.
// httpfront/openapi.yaml#createLinkCode
func (d *Device) LinkWithQR(ctx context.Context) (LinkCode, error) {
	return d.link(ctx, url.Values{"qr": {"true"}})
}

func (d *Device) link(ctx context.Context, query url.Values) (code LinkCode, err error) {
	k := &call{operation: "createLinkCode", method: http.MethodPost, path: d.client.sso("link"), query: query, repeatable: true}
	err = d.sso(ctx, k, &code)
	return code, err
}

// LinkStatus is what became of a link code.
type LinkStatus string

// The statuses; more may come.
const (
	LinkOpen     LinkStatus = "OPEN"
	LinkPending  LinkStatus = "PENDING" // a device of another network waits for [Device.ConfirmLink]
	LinkRedeemed LinkStatus = "REDEEMED"
	LinkExpired  LinkStatus = "EXPIRED" // or replaced, or ended
)

// LinkState is what became of a link code, and by whom.
type LinkState struct {
	Status   LinkStatus `json:"status"`
	NotAfter Time       `json:"notAfter"`
	// Device is who waits or joined; nil: nobody, or no member any more.
	Device *LinkDevice `json:"device"`
}

// LinkDevice is a device that came with a link code.
type LinkDevice struct {
	Member
	// Network is "same" or "other", seen from the device that made the code.
	Network string `json:"network"`
}

// ReadLink asks what became of a link code that this device made.
// httpfront/openapi.yaml#readLinkCode
func (d *Device) ReadLink(ctx context.Context, code string) (LinkState, error) {
	return d.readLink(ctx, code, false)
}

func (d *Device) readLink(ctx context.Context, code string, once bool) (s LinkState, err error) {
	k := &call{operation: "readLinkCode", method: http.MethodGet, path: d.client.sso("link", code), repeatable: true, once: once}
	err = d.sso(ctx, k, &s)
	return s, err
}

// ConfirmLink lets the device that waits join, or ends the code.
// httpfront/openapi.yaml#confirmLinkCode
func (d *Device) ConfirmLink(ctx context.Context, code string, join bool) (s LinkState, err error) {
	k := &call{
		operation: "confirmLinkCode", method: http.MethodPost, path: d.client.sso("link", code),
		json: map[string]bool{"confirm": join}, repeatable: true,
	}
	err = d.sso(ctx, k, &s)
	return s, err
}

// AwaitLink waits until the status of a link code that this device made is another
// one than the caller knows: [LinkOpen] at first.
func (d *Device) AwaitLink(ctx context.Context, code LinkCode, known LinkStatus) (s LinkState, err error) {
	err = d.client.await(ctx, func(ctx context.Context) (bool, error) {
		s, err = d.readLink(ctx, code.Code, true)
		return s.Status != known, err
	})
	return s, err
}

// AwaitRedeem is [Device.Redeem] that waits where the device that made the code has
// to confirm, until it has or the code is over.
func (d *Device) AwaitRedeem(ctx context.Context, code string) (t ServiceToken, err error) {
	err = d.client.await(ctx, func(ctx context.Context) (bool, error) {
		t, err = d.enter(ctx, "X-Sso-Link", code, true)
		return true, err
	})
	return t, err
}

// Member is a device of an SSO profile. What is not known is empty.
type Member struct {
	DeviceType   string `json:"deviceType"` // smartTV, mobile, tablet, ...
	Model        string `json:"model"`
	OS           string `json:"os"`
	OSVersion    string `json:"osVersion"`
	Platform     string `json:"platform"`
	UserAgent    string `json:"userAgent"`
	Manufacturer string `json:"manufacturer"`
	Vendor       string `json:"vendor"`
	LastSeen     Time   `json:"lastSeen"`
	// Type is "regular" for the device that founded the profile or logged in under
	// it, "sso" for one that joined.
	Type string `json:"type"`
}

// List returns the members of the device's profile by their ids; see [Device.ID].
// httpfront/openapi.yaml#listDevices
func (d *Device) List(ctx context.Context) (map[string]Member, error) {
	var out struct {
		Devices map[string]Member `json:"devices"`
	}
	err := d.sso(ctx, &call{operation: "listDevices", method: http.MethodGet, path: d.client.sso("list"), repeatable: true}, &out)
	return out.Devices, err
}

// Unlink removes devices from the profile, 100 at most, and returns those that were
// members. Their service tokens are void at once.
//
// It is not repeated when its outcome is unknown, because the answer to a second
// call would leave out what the first one removed: List tells.
// httpfront/openapi.yaml#unlinkDevices
func (d *Device) Unlink(ctx context.Context, ids ...string) ([]string, error) {
	var out struct {
		UnlinkedDevices []string `json:"unlinkedDevices"`
	}
	k := &call{operation: "unlinkDevices", method: http.MethodPost, path: d.client.sso("unlink"), json: map[string][]string{"devices": ids}}
	err := d.sso(ctx, k, &out)
	return out.UnlinkedDevices, err
}

// slowDown is by how much the interval grows each time that the service asks for
// fewer questions; RFC 8628, 3.5.
const slowDown = 5 * time.Second

// await asks until the answer is there, the service refuses, or ctx ends. A service
// that is not there for now is asked again.
func (c *Client) await(ctx context.Context, ask func(context.Context) (done bool, err error)) error {
	interval := c.options.Interval
	for {
		done, err := ask(ctx)
		wait := interval
		switch e := err.(type) {
		case nil:
			if done {
				return nil
			}
		case *UnansweredError:
		case *Error:
			switch {
			case e.Code == CodeLinkConfirmationPending:
				wait = cmp.Or(e.RetryAfter, interval)
			case e.Status == http.StatusTooManyRequests:
				interval += slowDown
				wait = max(interval, e.RetryAfter)
			case e.passing():
				wait = max(interval, e.RetryAfter)
			default:
				return err
			}
		default:
			return err
		}
		wait += rand.N(wait / 5) // devices that began together part
		if ctx.Err() != nil || c.options.Sleep(ctx, wait) != nil {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
