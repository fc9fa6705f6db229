package main

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"ssod/httpfront/client"
)

// demoCommand plays flows F1, F2 and F7: a phone's viewer logs in at a TV provider and
// shares that with a TV.
type demoCommand struct {
	ServiceProvider string `default:"demo" placeholder:"ID" help:"Service provider to play with (${default})."`
	MVPD            string `name:"mvpd" default:"sandbox" placeholder:"ID" help:"TV provider of kind sandbox to log in at (${default}); without it nobody logs in."`
	Realm           string `placeholder:"ID" help:"Realm of the service provider, if it is called otherwise."`
	Keep            bool   `help:"Leave the demo's profile and software statement there."`
}

// device is one of the two devices of the demo.
type device struct {
	*client.Device
	name string
}

// demo is a run of the flow.
type demo struct {
	*session
	provider  string
	realm     string
	mvpd      string // empty: the service provider has none of that id
	redirect  string // where the app wants browsers back
	viewer    string
	app       *client.Client // of the TV
	phone, tv *device
	browser   *browser
	script    *script
}

func (c *demoCommand) Run(s *session) error {
	public, err := s.publicURL()
	if err != nil {
		return err
	}
	made, err := (&statementCommand{ServiceProvider: []string{c.ServiceProvider}, ClientName: "ssoctl demo"}).make(s)
	if r, ok := errors.AsType[*refusal](err); ok && r.status == http.StatusBadRequest {
		return fmt.Errorf("%w; choose one of your configuration with --service-provider", err)
	}
	if err != nil {
		return err
	}
	d := &demo{session: s, provider: c.ServiceProvider, realm: cmp.Or(c.Realm, c.ServiceProvider), mvpd: c.MVPD, viewer: "viewer-" + random(), script: newScript(s)}
	d.browser = newBrowser(s, "2001:db8:0:30::1", d.script.show)
	err = reached(d.play(public, made))
	if !c.Keep {
		err = errors.Join(err, d.cleanUp(made))
	}
	return err
}

// start has both apps register. The devices have different addresses of one
// household, which has an IPv6 /56: the throttle counts each /64, and a loopback
// peer is a trusted proxy.
func (d *demo) start(public string, made statement) (err error) {
	d.script.title("Both apps register with the software statement and get access tokens.")
	d.phone, err = d.device("phone", public, "2001:db8:0:10::1", made, client.Info{
		PrimaryHardwareType: "MobilePhone", Model: "Demo Phone", Version: "1", OSName: "Android", OSVersion: "16", ConnectionType: "WiFi",
	})
	if err != nil {
		return err
	}
	d.tv, err = d.device("TV", public, "2001:db8:0:20::1", made, client.Info{
		PrimaryHardwareType: "TV", Model: "Demo TV", Version: "1", OSName: "webOS", OSVersion: "25", ConnectionType: "LAN",
	})
	return err
}

func (d *demo) device(name, public, address string, made statement, info client.Info) (*device, error) {
	app, err := d.session.app(public, d.provider, address, d.script.show)
	if err == nil {
		app, _, err = register(d.ctx, app, made)
	}
	if err != nil {
		return nil, fmt.Errorf("register the %s: %w", name, err)
	}
	d.app = app
	return &device{app.Device(client.DeviceOptions{ID: name + "-" + random(), Info: info}), name}, nil
}

func random() string {
	b := make([]byte, 8)
	rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}

// play runs the steps and checks the result of each.
func (d *demo) play(public string, made statement) error {
	for _, step := range []func() error{
		func() error { return d.start(public, made) }, d.signIn, d.logIn, d.join, d.watch, d.part, d.logOut,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	d.script.title("Done: every step brought about what it should.")
	return nil
}

func (d *demo) signIn() error {
	d.script.step("The viewer is signed in on the phone; its app names them and gets a service token.")
	_, err := d.phone.Mint(d.ctx, d.viewer)
	return err
}

// join links the TV to the viewer, and the phone sees it.
func (d *demo) join() error {
	d.script.step("The phone asks for a link code and shows it.")
	code, err := d.phone.Link(d.ctx)
	if err != nil {
		return err
	}
	d.script.step("The viewer types %s on the TV, which redeems it: its service token names the same viewer.", code.Code)
	if _, err := d.tv.Redeem(d.ctx, code.Code); err != nil {
		return err
	}
	d.script.step("The phone sees who joined by its code.")
	state, err := d.phone.ReadLink(d.ctx, code.Code)
	if err == nil && state.Status != client.LinkRedeemed {
		err = fmt.Errorf("look at the link code: it is %s, want REDEEMED", state.Status)
	}
	if err != nil {
		return err
	}
	return d.expectList()
}

// expectList checks that both devices are members, each in its role.
func (d *demo) expectList() error {
	d.script.step("The phone lists the viewer's devices: itself (regular) and the TV (sso).")
	all, err := d.phone.List(d.ctx)
	if err != nil {
		return err
	}
	if phone, tv := all[d.phone.ID()].Type, all[d.tv.ID()].Type; phone != "regular" || tv != "sso" {
		return fmt.Errorf("list the devices: the phone is %q and the TV %q, want regular and sso", phone, tv)
	}
	return nil
}

// part removes the TV, whose token is invalid at once.
func (d *demo) part() error {
	d.script.step("The phone removes the TV.")
	if err := d.remove(d.tv); err != nil {
		return err
	}
	d.script.step("From now on the TV's token is void: it cannot be refreshed.")
	_, err := d.tv.Refresh(d.ctx)
	if !errors.Is(err, &client.Error{Code: client.CodeTokenInvalid}) {
		return fmt.Errorf("the TV's token still works after it was removed: %w", err)
	}
	return d.watchNoMore()
}

// remove lets the phone remove a device, which must be a member.
func (d *demo) remove(gone *device) error {
	removed, err := d.phone.Unlink(d.ctx, gone.ID())
	if err == nil && !slices.Contains(removed, gone.ID()) {
		err = fmt.Errorf("remove the %s: it is not among the removed devices", gone.name)
	}
	return err
}

// cleanUp removes what the demo left: the phone leaves the profile, which is then empty,
// and the statement with its clients is revoked.
func (d *demo) cleanUp(made statement) error {
	d.script.quiet = true
	var err error
	if d.phone != nil && d.phone.Token().Token != "" {
		err = d.remove(d.phone)
	}
	return errors.Join(err, (&revokeStatement{ID: made.ID}).Run(d.session))
}
