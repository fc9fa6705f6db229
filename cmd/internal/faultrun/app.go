package faultrun

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"ssod/httpfront/client"
)

// device is one of a viewer's and the service token that it holds.
type device struct {
	name       string
	id         string // as lists have it
	token      string
	membership int64
}

func newDevice(name string) *device {
	return &device{name: name, id: base64.StdEncoding.EncodeToString([]byte(name))}
}

var errTooShort = errors.New("not a token")

// take keeps a service token.
func (d *device) take(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errTooShort
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	var claims struct {
		Membership int64 `json:"mbr"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	d.token, d.membership = token, claims.Membership
	return nil
}

// app is a registered client of a service provider. Each call goes to a node of
// its own, unless one is set.
type app struct {
	load        *Load
	node        *Node
	realm       string // and the service provider, which has the same name
	statement   string
	credentials client.Credentials
	token       string
	foreign     bool // it is expected to be refused as a stranger
}

// newApp goes the whole way from software statement to access token.
func newApp(l *Load, realm string) (*app, error) {
	n := l.cluster.any()
	if n == nil {
		return nil, errNobody
	}
	a := &app{load: l, realm: realm}
	var made struct{ SoftwareStatement, ID string }
	err := n.order("POST", "/admin/v1/software-statements", map[string]any{"clientName": "faults", "serviceProviders": []string{realm}}, &made)
	if err != nil {
		return nil, err
	}
	a.statement = made.ID
	r, err := a.client().Register(context.Background(), made.SoftwareStatement, "")
	if err != nil {
		return nil, judge(err)
	}
	a.credentials = r.Credentials
	return a, a.grant()
}

// grant gets an access token.
func (a *app) grant() error {
	t, err := a.client().FetchAccessToken(context.Background())
	a.token = t.Token
	return judge(err)
}

// at is the same client calling one node only.
func (a *app) at(n *Node) *app {
	b := *a
	b.node = n
	return &b
}

// client calls with the token that the app has, and repeats nothing.
func (a *app) client() *client.Client {
	c, err := client.New(client.Options{
		BaseURL: "http://node", ServiceProvider: a.realm, Credentials: a.credentials, AccessToken: a.token,
		Transport: route{a.load, a.node, a.foreign}, Attempts: 1, Timeout: 2 * patience,
	})
	if err != nil {
		panic(err) // the URL is good
	}
	return c
}

// on is the app on a device, with the token that this holds.
func (a *app) on(d *device) *client.Device {
	c := a.client().Device(client.DeviceOptions{ID: d.name})
	c.Restore(client.ServiceToken{Token: d.token})
	return c
}

// mint makes the device a member of the viewer's profile.
func (a *app) mint(d *device, viewer string) error {
	t, err := a.on(d).Mint(context.Background(), viewer)
	return d.enter(t, err)
}

// redeem makes the device a member of the profile that the link code is of.
func (a *app) redeem(d *device, code string) error {
	t, err := a.on(d).Redeem(context.Background(), code)
	return d.enter(t, err)
}

// refresh renews the device's token.
func (a *app) refresh(d *device) error {
	t, err := a.on(d).Refresh(context.Background())
	return d.enter(t, err)
}

func (d *device) enter(t client.ServiceToken, err error) error {
	if err != nil {
		return judge(err)
	}
	return d.take(t.Token)
}

// link makes a link code on the device.
func (a *app) link(d *device) (string, error) {
	code, err := a.on(d).Link(context.Background())
	return code.Code, judge(err)
}

// list returns the members that the device sees, by their ids.
func (a *app) list(d *device) (map[string]client.Member, error) {
	members, err := a.on(d).List(context.Background())
	return members, judge(err)
}

// unlink lets d remove another device; it returns how many were removed.
func (a *app) unlink(d *device, id string) (int, error) {
	removed, err := a.on(d).Unlink(context.Background(), id)
	return len(removed), judge(err)
}

// stranger returns nil when a list is refused because of who asks: a client that was
// revoked, or a device of another realm.
func (a *app) stranger(d *device) error {
	b := *a
	b.foreign = true
	_, err := b.list(d)
	if e, ok := errors.AsType[*client.Error](err); ok && e.Status == 401 {
		return nil
	}
	if err == nil {
		err = errAnswer
	}
	return err
}
