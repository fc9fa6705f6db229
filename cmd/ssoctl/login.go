package main

import (
	"fmt"
	"net/url"
	"strings"

	"ssod/httpfront/token/media/verifier"
)

// chosen is the viewer of the sandbox who logs in, and channel what is watched.
const (
	chosen  = "ada"
	channel = "channel-1"
)

// logIn is flow F1 from step 4: the viewer of the phone logs in at the TV
// provider in a browser.
func (d *demo) logIn(phone string) error {
	d.script.step("The phone asks which TV providers there are.")
	found, err := d.phone.configuration(d.provider)
	if err != nil {
		return err
	}
	if !found.offers(d.mvpd) || len(found.Requestor.Domains) == 0 {
		d.script.title("There is no TV provider %q to log in at: the story goes on without a login.", d.mvpd)
		d.mvpd = ""
		return nil
	}
	d.redirect = "https://" + strings.Replace(found.Requestor.Domains[0].Name, "*", "tv", 1) + "/logged-in"
	d.script.step("The phone begins a login there and gets a code and an address for a browser.")
	begun, err := d.phone.createSession(d, phone)
	if err != nil {
		return err
	}
	d.script.step("The viewer's browser opens the address; on the provider's page the viewer chooses %s.", chosen)
	if err := d.browse(begun.URL); err != nil {
		return err
	}
	d.script.step("The phone asks with the code whether the login is done: there is one of its own (regular).")
	profiles, err := d.phone.profiles(d.provider, "profiles/code/"+begun.Code, "")
	if err != nil {
		return err
	}
	return profiles.expect(d.mvpd, "regular")
}

// browse logs in at the sandbox.
func (d *demo) browse(address string) error {
	at, err := d.browser.follow(d.phone.public+address, nil, d.redirect)
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
func (d *demo) watch(tv string) error {
	if d.mvpd == "" {
		return nil
	}
	d.script.step("The TV finds the login that was made on the phone (serviceTokenSSO).")
	found, err := d.tv.profiles(d.provider, "profiles", tv)
	if err != nil {
		return err
	}
	if err := found.expect(d.mvpd, "serviceTokenSSO"); err != nil {
		return err
	}
	d.script.step("The TV asks whether the viewer may watch %s: a permit with a media token.", channel)
	decision, err := d.tv.authorize(d, tv)
	if err != nil {
		return err
	}
	if !decision.Authorized {
		return fmt.Errorf("watch %s: the TV is refused: %s", channel, decision.Error.Code)
	}
	return d.verify(decision.Token.Serialized)
}

// verify checks a media token as the backend of the channel does.
func (d *demo) verify(token string) error {
	d.script.step("The channel's own backend checks the media token with the realm's public keys.")
	keys, err := d.tv.keySet(d.realm)
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

// watchNoMore checks that a TV that was removed is refused.
func (d *demo) watchNoMore(tv string) error {
	if d.mvpd == "" {
		return nil
	}
	d.script.step("The TV asks again whether the viewer may watch %s: it is refused.", channel)
	decision, err := d.tv.authorize(d, tv)
	if err != nil {
		return err
	}
	if decision.Authorized || decision.Error.Code != "authenticated_profile_missing" {
		return fmt.Errorf("watch %s: the TV was removed and is told %v %q", channel, decision.Authorized, decision.Error.Code)
	}
	return nil
}

// logOut is flow F7: the login ends everywhere, also at the TV provider.
func (d *demo) logOut(phone string) error {
	if d.mvpd == "" {
		return nil
	}
	d.script.step("The viewer logs out on the phone, in the browser also at the TV provider.")
	bye := strings.TrimSuffix(d.redirect, "logged-in") + "logged-out"
	address, err := d.phone.logOut(d, phone, bye)
	if err != nil {
		return err
	}
	if strings.HasPrefix(address, "/") {
		address = d.phone.public + address
	}
	at, err := d.browser.follow(address, nil, bye)
	if err != nil {
		return err
	}
	if at != bye {
		return fmt.Errorf("log out: the browser came back to %s, want %s", shorten(at), bye)
	}
	d.script.step("No login is found any more.")
	found, err := d.phone.profiles(d.provider, "profiles", phone)
	if err == nil && len(found.Profiles) > 0 {
		err = fmt.Errorf("log out: a login at %s is still there", d.mvpd)
	}
	return err
}
