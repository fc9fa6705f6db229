package main

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
)

// demoCommand plays flows F1, F2 and F7: a phone's viewer logs in at a TV
// provider and shares that with a TV.
type demoCommand struct {
	ServiceProvider string `default:"demo" placeholder:"ID" help:"Service provider to play with (${default})."`
	MVPD            string `name:"mvpd" default:"sandbox" placeholder:"ID" help:"TV provider of kind sandbox to log in at (${default}); without it nobody logs in."`
	Realm           string `placeholder:"ID" help:"Realm of the service provider, if it is called otherwise."`
	Keep            bool   `help:"Leave the demo's profile and software statement there."`
}

// device is one of the two devices of the demo.
type device struct {
	*app
	name  string
	id    string // value of AP-Device-Identifier
	key   string // how the lists of the API name it
	info  string // value of X-Device-Info
	token string // access token of its app
}

// demo is a run of the flow.
type demo struct {
	*session
	provider  string
	realm     string
	mvpd      string // empty: the service provider has none of that id
	redirect  string // where the app wants browsers back
	viewer    string
	phone, tv *device
	browser   *browser
	script    *script
}

// Run implements demo.
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
	d := newDemo(s, public, c)
	phone, err := d.play(made)
	if !c.Keep {
		err = errors.Join(err, d.cleanUp(made, phone))
	}
	return err
}

func newDemo(s *session, public string, c *demoCommand) *demo {
	d := &demo{session: s, provider: c.ServiceProvider, realm: cmp.Or(c.Realm, c.ServiceProvider), mvpd: c.MVPD, viewer: "viewer-" + random(), script: newScript(s)}
	// Different addresses of one household, which has an IPv6 /56: the throttle
	// counts each /64, and a loopback peer is a trusted proxy.
	d.phone = d.device("phone", public, "2001:db8:0:10::1", `{"primaryHardwareType":"MobilePhone","model":"Demo Phone","version":"1","osName":"Android","osVersion":"16","connectionType":"WiFi"}`)
	d.tv = d.device("TV", public, "2001:db8:0:20::1", `{"primaryHardwareType":"TV","model":"Demo TV","version":"1","osName":"webOS","osVersion":"25","connectionType":"LAN"}`)
	d.browser = newBrowser(s, "2001:db8:0:30::1", d.script.show)
	return d
}

func (d *demo) device(name, public, address, info string) *device {
	key := base64.StdEncoding.EncodeToString([]byte(name + "-" + random()))
	return &device{
		app: &app{session: d.session, public: public, address: address, show: d.script.show}, name: name,
		id: "fingerprint " + key, key: key, info: base64.StdEncoding.EncodeToString([]byte(info)),
	}
}

func random() string {
	b := make([]byte, 8)
	rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}

// play goes through the steps and checks what each must bring about. It
// returns the phone's service token as soon as there is one.
func (d *demo) play(made statement) (phone string, err error) {
	d.script.title("Both apps register with the software statement and get access tokens.")
	for _, v := range []*device{d.phone, d.tv} {
		got, err := v.register(made)
		if err != nil {
			return "", fmt.Errorf("register the %s: %w", v.name, err)
		}
		v.token = got.AccessToken
	}
	d.script.step("The viewer is signed in on the phone; its app names them and gets a service token.")
	if phone, err = d.phone.mint(d.provider, "X-SSO-ID", d.viewer); err != nil {
		return "", err
	}
	if err := d.logIn(phone); err != nil {
		return phone, err
	}
	return phone, d.share(phone)
}

// share has the TV join, watch, and leave.
func (d *demo) share(phone string) error {
	tv, err := d.join(phone)
	if err != nil {
		return err
	}
	if err := d.watch(tv); err != nil {
		return err
	}
	if err := d.part(phone, tv); err != nil {
		return err
	}
	if err := d.logOut(phone); err != nil {
		return err
	}
	d.script.title("Done: every step brought about what it should.")
	return nil
}

// join links the TV to the viewer, and the phone sees it.
func (d *demo) join(phone string) (tv string, err error) {
	d.script.step("The phone asks for a link code and shows it.")
	code, err := d.phone.link(d.provider, phone)
	if err != nil {
		return "", err
	}
	d.script.step("The viewer types %s on the TV, which redeems it: its service token names the same viewer.", code)
	if tv, err = d.tv.mint(d.provider, "X-SSO-LINK", code); err != nil {
		return "", err
	}
	d.script.step("The phone sees who joined by its code.")
	if err := d.phone.expectJoined(d.provider, phone, code); err != nil {
		return tv, err
	}
	d.script.step("The phone lists the viewer's devices: itself (regular) and the TV (sso).")
	return tv, d.phone.expectList(d.provider, phone, d.tv)
}

// part removes the TV, whose token is void at once.
func (d *demo) part(phone, tv string) error {
	d.script.step("The phone removes the TV.")
	if err := d.phone.unlink(d.provider, phone, d.tv); err != nil {
		return err
	}
	d.script.step("From now on the TV's token is void: it cannot be refreshed.")
	err := d.tv.refresh(d.provider, tv)
	if r, ok := errors.AsType[*refusal](err); !ok || r.status != http.StatusBadRequest {
		return fmt.Errorf("the TV's token still works after it was removed: %w", err)
	}
	return d.watchNoMore(tv)
}

// cleanUp takes back what the demo left behind: the phone leaves the profile,
// which is then empty, and the statement with its clients is revoked.
func (d *demo) cleanUp(made statement, phone string) error {
	d.phone.show = func(exchange) {}
	var err error
	if phone != "" {
		err = d.phone.unlink(d.provider, phone, d.phone)
	}
	return errors.Join(err, (&revokeStatement{ID: made.ID}).Run(d.session))
}
