package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ssod/httpfront/client"
)

// flow is one of httpfront/docs/flows.md#flows.
type flow struct {
	name  string
	given func(*tale) // what the people of the flow hold before it begins
	steps []step
}

// flows are all of them, each on its own from the first step on. They share
// their beginnings.
var flows = []flow{
	{"F1 identity mapping", nil, slices.Concat(mappedLogin, []step{
		{"phone finds it under its identity", finds(phone, "regular")},
		{"phone watches", decides(phone, "channel-1", permit)},
		{"tv signs in as the same viewer", signsIn(tv)},
		{"tv finds the login", finds(tv, "serviceTokenSSO")},
		{"both are members", bothAreMembers},
	})},
	{"F2 link code", nil, slices.Concat(mappedLogin, joining, []step{
		{"tv watches", decides(tv, "channel-1", permit)},
		{"both are members", bothAreMembers},
		{"another device cannot use the code", (*tale).codeIsUsed},
		{"phone unlinks the tv", (*tale).unlinkTV},
		{"tv's token is void", (*tale).tokenIsVoid},
		{"tv finds nothing", finds(tv, "")},
		{"phone still watches", decides(phone, "channel-1", permit)},
	})},
	{"F2 link code, confirmed", tvIsAway, slices.Concat(arriving, []step{
		{"phone confirms the tv", confirms(true, "PENDING")},
		{"tv redeems the code", (*tale).redeemLink},
		{"phone sees that the tv joined", sees("REDEEMED", "other")},
		{"both are members", bothAreMembers},
		{"another device cannot use the code", (*tale).codeIsUsed},
	})},
	{"F2 link code, refused", tvIsAway, slices.Concat(arriving, []step{
		{"phone refuses the tv", confirms(false, "EXPIRED")},
		{"tv is refused", func(s *tale, ctx context.Context) error {
			return failsAs(ctx, s.tv, s.link, http.StatusBadRequest, "token_invalid")
		}},
		{"phone sees that the code ended", sees("EXPIRED", "")},
		{"phone is the only member", func(s *tale, ctx context.Context) error {
			return s.phone.hasMembers(ctx, map[string]string{s.phone.on.id: "regular"})
		}},
	})},
	{"F3 service token of others, login", foreignTokens, slices.Concat(login("ada"), []step{
		{"phone watches", decides(phone, "channel-1", permit)},
		{"tv finds the login", finds(tv, "serviceTokenSSO")},
		{"tv needs no session", (*tale).needsNoSession},
		{"tv watches", decides(tv, "channel-1", permit)},
	})},
	{"F4 service token of others, decision", foreignTokens, slices.Concat(login("ben"), []step{
		{"tv watches", decides(tv, "channel-1", permit)},
		{"tv is denied", decides(tv, "channel-2", "authorization_denied_by_mvpd")},
	})},
	{"F5 platform identity, login", onePlatform, slices.Concat(login("ada"), []step{
		{"phone watches", decides(phone, "channel-1", permit)},
		{"second app finds the login", finds(tv, "platformSSO")},
		{"second app watches", decides(tv, "channel-1", permit)},
	})},
	{"F6 platform identity, decision", onePlatform, slices.Concat(login("ben"), []step{
		{"second app watches", decides(tv, "channel-1", permit)},
		{"second app is denied", decides(tv, "channel-2", "authorization_denied_by_mvpd")},
	})},
	{"F7 single logout", nil, slices.Concat(mappedLogin, joining, []step{
		{"tv logs out", logsOut(tv)},
		{"browser ends the session at the MVPD", (*tale).leaveMVPD},
		{"tv finds nothing", finds(tv, "")},
		{"phone finds nothing", finds(phone, "")},
		{"phone is refused", decides(phone, "channel-1", "authenticated_profile_missing")},
		{"both are members", bothAreMembers},
	})},
	{"F7 logout of the device alone", nil, slices.Concat(mappedLogin, joining, []step{
		{"phone logs out without a proof", func(s *tale, ctx context.Context) error { return s.logOut(ctx, s.phone, nil) }},
		{"browser ends the session at the MVPD", (*tale).leaveMVPD},
		{"phone finds nothing", finds(phone, "")},
		{"tv finds nothing", finds(tv, "")},
	})},
	{"F8 invalidation", nil, slices.Concat(voidLogin, []step{
		{"the MVPD voids the login", decides(phone, "channel-1", "authorization_denied_by_session_invalidated", "authenticated_profile_invalidated")},
		{"phone is refused", decides(phone, "channel-1", "authenticated_profile_invalidated")},
		{"phone finds nothing", finds(phone, "")},
		{"tv finds nothing", finds(tv, "")},
		{"both are members", bothAreMembers},
		{"the old validity is over", func(s *tale, _ context.Context) error { s.notAfter = ""; return nil }},
	}, login("ada"), []step{
		{"tv watches", decides(tv, "channel-1", permit)},
	})},
	{"F9 expired service token", nil, slices.Concat([]step{{"phone signs in", signsIn(phone)}}, joining[:2], []step{
		{"phone's token expires", (*tale).tokenExpires},
		{"it makes no link code", expiredCall("POST", "link")},
		{"it lists nobody", expiredCall("GET", "list")},
		{"it finds no login", finds(phone, "")},
		{"phone refreshes it", func(s *tale, ctx context.Context) error { return s.phone.app.refresh(ctx, s.phone.on) }},
		{"both are members", bothAreMembers},
		{"phone's token expires for good", (*tale).tokenIsLost},
		{"it is not refreshed", expiredCall("GET", "serviceToken")},
		{"phone signs in again", signsIn(phone)},
		{"phone unlinks the tv", (*tale).unlinkTV},
		{"tv's token is void", (*tale).tokenIsVoid},
	})},
	{"F10 second screen", nil, []step{
		{"tv begins an empty session", (*tale).beginEmpty},
		{"second screen reads it", (*tale).readSession},
		{"second screen completes it", (*tale).completeSession},
		{"browser opens the login", (*tale).openLogin},
		{"browser comes back", (*tale).comeBack},
		{"tv finds the login by code", findsByCode(tv)},
		{"tv watches", decides(tv, "channel-1", permit)},
		{"a new session", (*tale).beginOther},
		{"voids the earlier code", (*tale).codeIsVoid},
	}},
}

// login is a login of the phone at the MVPD.
func login(viewer string) []step {
	return []step{
		{"phone begins a session", begins(phone)},
		{"browser opens the login", func(s *tale, ctx context.Context) error { return s.openLoginAs(ctx, viewer) }},
		{"browser comes back", (*tale).comeBack},
		{"phone finds the login by code", findsByCode(phone)},
	}
}

// The beginnings of F1, F2, F7, F8 and F9.
var (
	mappedLogin = append([]step{{"phone signs in", signsIn(phone)}}, login("ada")...)
	joining     = []step{
		{"phone shows a link code", (*tale).showLink},
		{"tv redeems it", (*tale).redeemLink},
		{"tv finds the login", finds(tv, "serviceTokenSSO")},
	}
	arriving = []step{
		{"phone signs in", signsIn(phone)},
		{"phone shows a link code", (*tale).showLink},
		{"tv comes with it from another network", func(s *tale, ctx context.Context) error { return s.tv.app.waits(ctx, s.tv.on, s.link) }},
		{"phone sees it waiting", sees("PENDING", "other")},
	}
	voidLogin = slices.Concat([]step{{"phone signs in", signsIn(phone)}}, login("finn"), joining)
)

// tvIsAway: the TV is in another network than the phone.
func tvIsAway(s *tale) { s.tv.on.address = away }

// sees is what the phone is told of its code; network is empty for no device.
func sees(status, network string) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error {
		got, err := s.phone.app.readLink(ctx, s.phone.on, s.link)
		return wantState(got, err, status, network)
	}
}

// confirms is the phone's word about whoever waits with its code.
func confirms(join bool, status string) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error {
		got, err := s.phone.app.confirmLink(ctx, s.phone.on, s.link, join)
		network := ""
		if got.Device != nil {
			network = got.Device.Network
		}
		return wantState(got, err, status, network)
	}
}

func wantState(s client.LinkState, err error, status, network string) error {
	if err != nil {
		return err
	}
	by := client.LinkDevice{}
	if s.Device != nil {
		by = *s.Device
	}
	if string(s.Status) != status || by.Network != network {
		return fmt.Errorf("%w: the code is %s, a device of the %q network; want %s, %q", errStatus, s.Status, by.Network, status, network)
	}
	return nil
}

// failsAs redeems a link code in vain.
func failsAs(ctx context.Context, p player, link string, status int, code string) error {
	a, err := p.app.send(ctx, "POST", "serviceToken", p.on, nil, "X-SSO-LINK", link)
	return failsWith(a, err, status, code)
}

// foreignTokens: the apps got tokens from an identity service.
func foreignTokens(s *tale) {
	for _, p := range []player{s.phone, s.tv} {
		p.on.token = externalToken(s, s.viewer, "Adobe")
	}
}

// onePlatform: two apps are on one device, whose platform knows its viewer.
func onePlatform(s *tale) {
	s.tv.on = s.phone.on
	s.phone.on.platform = subjectToken(s, s.viewer)
}

func bothAreMembers(s *tale, ctx context.Context) error {
	return s.phone.hasMembers(ctx, map[string]string{s.phone.on.id: "regular", s.tv.on.id: "sso"})
}

func (s *tale) codeIsUsed(ctx context.Context) error {
	return s.tv.app.isUsed(s.link, s.tv.on.id)(ctx)
}

// unlinkTV removes the TV. That it was removed already is seen in the list.
func (s *tale) unlinkTV(ctx context.Context) error {
	s.parted = true
	if _, err := s.phone.app.unlink(ctx, s.phone.on, s.tv.on.id); err != nil {
		return err
	}
	return s.phone.hasMembers(ctx, map[string]string{s.phone.on.id: "regular"})
}

func (s *tale) tokenIsVoid(ctx context.Context) error {
	return s.tv.answered(ctx, "GET", "list", http.StatusBadRequest, "token_invalid")
}

// needsNoSession asks for a session where a login is shared.
func (s *tale) needsNoSession(ctx context.Context) error {
	b, err := s.tv.app.begin(ctx, s.tv.on, whole("AcmeTV"), s.tv.on.proof()...)
	if err == nil && b.ActionName+" "+b.ReasonType != "authorize authenticatedSSO" {
		err = fmt.Errorf("%w: action %s for %s", errStatus, b.ActionName, b.ReasonType)
	}
	return err
}

func (s *tale) tokenExpires(context.Context) error { return s.expireToken(10 * time.Minute) }

// tokenIsLost puts the expiry before the refresh window of a week.
func (s *tale) tokenIsLost(context.Context) error { return s.expireToken(8 * 24 * time.Hour) }

func expiredCall(method, operation string) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error {
		return s.phone.answered(ctx, method, operation, http.StatusUnauthorized, "token_expired")
	}
}

// beginEmpty begins a session that lacks everything.
func (s *tale) beginEmpty(ctx context.Context) error {
	b, err := s.tv.app.begin(ctx, s.tv.on, nil)
	if err == nil && b.ActionName != "resume" {
		err = fmt.Errorf("%w: action %s, want resume", errStatus, b.ActionName)
	}
	s.code = b.Code
	return err
}

func (s *tale) readSession(ctx context.Context) error {
	var out struct{ MissingParameters []string }
	if err := s.secondScreen(ctx, "GET", "", &out); err != nil {
		return err
	}
	if len(out.MissingParameters) != 3 {
		return fmt.Errorf("%w: %q are missing, want all three", errStatus, out.MissingParameters)
	}
	return nil
}

func (s *tale) completeSession(ctx context.Context) error {
	var out begun
	err := s.secondScreen(ctx, "POST", whole("AcmeTV").Encode(), &out)
	if err == nil && out.ActionName != "authenticate" {
		err = fmt.Errorf("%w: action %s, want a login", errStatus, out.ActionName)
	}
	return err
}

// secondScreen is a call of the phone for the TV's session.
func (s *tale) secondScreen(ctx context.Context, method, form string, out any) error {
	headers := map[string]string{"Authorization": "Bearer " + s.phone.app.token}
	if form != "" {
		headers["Content-Type"] = "application/x-www-form-urlencoded"
	}
	target := "/api/v2/" + s.phone.app.provider + "/sessions/" + s.code
	a, err := s.do(ctx, call{method: method, target: target, headers: headers, body: []byte(form)})
	return want(a, err, http.StatusOK, out)
}

// beginOther begins another session of the TV, at another MVPD.
func (s *tale) beginOther(ctx context.Context) error {
	b, err := s.tv.app.begin(ctx, s.tv.on, whole("NordCable"))
	if err == nil && b.ActionName != "authenticate" {
		err = fmt.Errorf("%w: action %s, want a login", errStatus, b.ActionName)
	}
	return err
}

// codeIsVoid: a session that is over says so, whichever way it ended.
func (s *tale) codeIsVoid(ctx context.Context) error {
	a, err := s.do(ctx, call{
		method: "GET", target: "/api/v2/" + s.phone.app.provider + "/sessions/" + s.code,
		headers: map[string]string{"Authorization": "Bearer " + s.phone.app.token},
	})
	var out struct{ Code string }
	if err = want(a, err, http.StatusBadRequest, &out); err == nil && out.Code != "invalid_authentication_session" {
		err = fmt.Errorf("%w: the code is refused as %s", errStatus, out.Code)
	}
	return err
}
