package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ssod/httpfront/client"
	"ssod/httpfront/token/media/verifier"
)

// chosen is the viewer of the sandbox who logs in, and channel what is watched.
const (
	chosen  = "ada"
	channel = "channel-1"
)

// logIn is flow F1 from step 4: the viewer of the phone logs in at the TV
// provider in a browser.
func (d *demo) logIn() error {
	d.script.step("The phone asks which TV providers there are.")
	found, err := d.phone.Configuration(d.ctx)
	if err != nil {
		return err
	}
	offered := slices.ContainsFunc(found.Requestor.MVPDs, func(m client.MVPD) bool { return m.ID == d.mvpd })
	if !offered || len(found.Requestor.Domains) == 0 {
		d.script.title("There is no TV provider %q to log in at: the story goes on without a login.", d.mvpd)
		d.mvpd = ""
		return nil
	}
	domain := strings.Replace(found.Requestor.Domains[0].Name, "*", "tv", 1)
	d.redirect = "https://" + domain + "/logged-in"
	d.script.step("The phone begins a login there and gets a code and an address for a browser.")
	begun, err := d.phone.CreateSession(d.ctx, client.SessionParameters{MVPD: d.mvpd, DomainName: domain, RedirectURL: d.redirect})
	if err != nil {
		return err
	}
	if begun.Action != client.ActionAuthenticate {
		return fmt.Errorf("begin a login: the next action is %q, want authenticate", begun.Action)
	}
	d.script.step("The viewer's browser opens the address; on the provider's page the viewer chooses %s.", chosen)
	if err := d.browse(begun.URL); err != nil {
		return err
	}
	d.script.step("The phone asks with the code whether the login is done: there is one of its own (regular).")
	return d.expectLogin("regular", func() (map[string]client.Profile, error) { return d.phone.ProfileByCode(d.ctx, begun.Code) })
}

// expectLogin checks the type of the login that is found.
func (d *demo) expectLogin(kind string, find func() (map[string]client.Profile, error)) error {
	found, err := find()
	if err != nil {
		return err
	}
	if got := found[d.mvpd].Type; got != kind {
		return fmt.Errorf("the login at %s is of type %q, want %s", d.mvpd, got, kind)
	}
	return nil
}

// browse logs in at the sandbox.
func (d *demo) browse(address string) error {
	at, err := d.browser.follow(address, nil, d.redirect)
	if err != nil {
		return err
	}
	at, err = d.browser.follow(at, url.Values{"viewer": {chosen}}, d.redirect)
	if err != nil {
		return err
	}
	if at != d.redirect {
		return fmt.Errorf("log in: the browser came back to %s, want %s", shorten(at), d.redirect)
	}
	return nil
}

// watch is flow F2 from step 5: the TV finds the login and gets a permit.
func (d *demo) watch() error {
	if d.mvpd == "" {
		return nil
	}
	d.script.step("The TV finds the login that was made on the phone (serviceTokenSSO).")
	err := d.expectLogin("serviceTokenSSO", func() (map[string]client.Profile, error) { return d.tv.Profiles(d.ctx) })
	if err != nil {
		return err
	}
	d.script.step("The TV asks whether the viewer may watch %s: a permit with a media token.", channel)
	decision, err := d.decide()
	if err != nil {
		return err
	}
	if !decision.Authorized {
		return fmt.Errorf("watch %s: the TV is refused: %w", channel, decision.Error)
	}
	return d.verify(decision.Token.Serialized)
}

// decide asks whether the TV may show the channel.
func (d *demo) decide() (client.Decision, error) {
	all, err := d.tv.Authorize(d.ctx, d.mvpd, channel)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("watch %s: %d decisions", channel, len(all))
	}
	if err != nil {
		return client.Decision{}, err
	}
	return all[0], nil
}

// verify checks a media token as the backend of the channel does.
func (d *demo) verify(token string) error {
	d.script.step("The channel's own backend checks the media token with the realm's public keys.")
	keys, err := d.app.KeySet(d.ctx, d.realm)
	if err != nil {
		return err
	}
	v, err := verifier.New(keys)
	if err != nil {
		return err
	}
	said, result := v.Verify(token, channel)
	if result != verifier.Valid {
		return fmt.Errorf("verify the media token: %s", result)
	}
	d.script.note("%s: %s may be watched until %s.", result, said.ResourceID, said.Expires().Format("15:04:05 MST"))
	return nil
}

// watchNoMore checks that a removed TV is refused.
func (d *demo) watchNoMore() error {
	if d.mvpd == "" {
		return nil
	}
	d.script.step("The TV asks again whether the viewer may watch %s: it is refused.", channel)
	decision, err := d.decide()
	if err != nil {
		return err
	}
	if decision.Authorized || decision.Error.Code != client.CodeProfileMissing {
		return fmt.Errorf("watch %s: the TV was removed and is told %v %v", channel, decision.Authorized, decision.Error)
	}
	return nil
}

// logOut is flow F7: the login ends everywhere, also at the TV provider.
func (d *demo) logOut() error {
	if d.mvpd == "" {
		return nil
	}
	d.script.step("The viewer logs out on the phone, in the browser also at the TV provider.")
	bye := strings.TrimSuffix(d.redirect, "logged-in") + "logged-out"
	out, err := d.phone.Logout(d.ctx, d.mvpd, bye)
	if err == nil && out.URL == "" {
		err = fmt.Errorf("log out: no address for the browser")
	}
	if err != nil {
		return err
	}
	at, err := d.browser.follow(out.URL, nil, bye)
	if err != nil {
		return err
	}
	if at != bye {
		return fmt.Errorf("log out: the browser came back to %s, want %s", shorten(at), bye)
	}
	d.script.step("No login is found any more.")
	found, err := d.phone.Profiles(d.ctx)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("log out: a login at %s is still there", d.mvpd)
	}
	return err
}
