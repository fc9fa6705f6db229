package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ssod/cmd/internal/e2e/examples"
)

// tale is a flow of httpfront/docs/flows.md#flows while it is played. Every step can be
// repeated as clients do.
type tale struct {
	*node
	viewer   string // X-SSO-ID
	phone    player // signs in first
	tv       player // comes later
	browser  *browser
	foreign  bool   // AcmeTV is a foreign implementation, not the sandbox
	abroad   string // the viewer's name there
	code     string // authentication code
	link     string // link code
	callback errand // where the MVPD sent the browser
	farewell string // logout agent URL
	notAfter json.Number
	secret   []byte // key of the service tokens

	interrupted bool // a node died during this step
	parted      bool // phone and tv do not share logins any more
}

// player is an app on a device.
type player struct {
	app *app
	on  *device
}

// newTale begins a tale of people whom the service has not heard of. Phone and
// TV have an app each, which may be the same.
func newTale(first, second *app, name string) *tale {
	s := &tale{
		node: first.node, viewer: "viewer" + name, browser: first.newBrowser(),
		phone: player{first, newDevice("phone" + name)}, tv: player{second, newDevice("tv" + name)},
	}
	s.phone.on.address, s.tv.on.address = homeOf(name), homeOf(name)
	s.browser.beside(s.phone.on)
	return s
}

// step is one step of a flow.
type step struct {
	name string
	do   func(*tale, context.Context) error
}

// who chooses the player of a step.
type who func(*tale) player

func phone(s *tale) player { return s.phone }
func tv(s *tale) player    { return s.tv }

// proof are the headers by which a device proves who uses it.
func (d *device) proof() (headers []string) {
	if d.token != "" {
		headers = append(headers, "AD-Service-Token", d.token)
	}
	if d.platform != "" {
		headers = append(headers, "Adobe-Subject-Token", d.platform)
	}
	return headers
}

// v2 makes a call of the entitlement API with the player's proof.
func (p player) v2(ctx context.Context, method, path, body string, out any) error {
	a, err := p.app.v2(ctx, method, path, p.on, body, p.on.proof()...)
	return want(a, err, http.StatusOK, out)
}

// signsIn gets a service token by X-SSO-ID.
func signsIn(w who) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error { return w(s).app.mint(ctx, w(s).on, s.viewer) }
}

// begins begins a whole session; a device that has begun one may do so again.
func begins(w who) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error {
		b, err := w(s).app.begin(ctx, w(s).on, whole("AcmeTV"), w(s).on.proof()...)
		if err == nil && b.ActionName != "authenticate" {
			err = fmt.Errorf("%w: action %s, want a login", errStatus, b.ActionName)
		}
		s.code = b.Code
		return err
	}
}

// openLogin goes as far as the MVPD's answer, which the browser has not brought
// back yet.
func (s *tale) openLogin(ctx context.Context) error { return s.openLoginAs(ctx, "ada") }

func (s *tale) openLoginAs(ctx context.Context, viewer string) (err error) {
	if s.foreign {
		s.callback, err = s.logInAbroad(ctx, viewer)
		return err
	}
	at, err := s.browser.open(ctx, s.phone.app.provider, s.code)
	if err != nil {
		return err
	}
	a, err := s.browser.visit(ctx, at, url.Values{"viewer": {viewer}})
	s.callback.address = a.Headers.Get("Location")
	return want(a, err, http.StatusSeeOther, nil)
}

func (s *tale) comeBack(ctx context.Context) error {
	if s.foreign {
		return s.comeBackFromAbroad(ctx)
	}
	end, a, err := s.browser.follow(ctx, s.callback.address, nil)
	if err == nil && end != home {
		err = fmt.Errorf("%w: ended at %s: %d", errStatus, end, a.Status)
	}
	return err
}

func (s *tale) showLink(ctx context.Context) (err error) {
	s.link, err = s.phone.app.link(ctx, s.phone.on)
	return err
}

func (s *tale) redeemLink(ctx context.Context) error { return s.tv.app.redeem(ctx, s.tv.on, s.link) }

// found is what a query for profiles answers.
type found struct {
	Profiles map[string]struct {
		Type     string
		NotAfter json.Number
	}
}

// finds expects the type of the login at AcmeTV; "" stands for none. All logins
// of a tale end with the first one that was found.
func finds(w who, kind string) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error { return s.find(ctx, w(s), "profiles", kind) }
}

func findsByCode(w who) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error { return s.find(ctx, w(s), "profiles/code/"+s.code, "regular") }
}

func (s *tale) find(ctx context.Context, p player, path, kind string) error {
	var out found
	if err := p.v2(ctx, "GET", path, "", &out); err != nil {
		return err
	}
	got := out.Profiles["AcmeTV"]
	if got.Type != kind {
		return fmt.Errorf("%w: found a login of type %q, want %q", errStatus, got.Type, kind)
	}
	if kind == "" {
		return nil
	}
	if s.notAfter == "" {
		s.notAfter = got.NotAfter
	}
	if got.NotAfter != s.notAfter {
		return fmt.Errorf("%w: found a login until %s, want that of the first: %s", errStatus, got.NotAfter, s.notAfter)
	}
	return nil
}

// permit is the answer of decides that is none of the errors.
const permit = ""

// decides asks for a decision and wants one of the answers.
func decides(w who, resource string, answers ...string) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error {
		var out struct {
			Decisions []struct {
				Authorized bool
				Token      struct{ SerializedToken string }
				Error      struct{ Code string }
			}
		}
		err := w(s).v2(ctx, "POST", "decisions/authorize/AcmeTV", `{"resources":["`+resource+`"]}`, &out)
		if err != nil || len(out.Decisions) != 1 {
			return fmt.Errorf("%d decisions: %w", len(out.Decisions), err)
		}
		d := out.Decisions[0]
		if d.Authorized != (d.Token.SerializedToken != "") || d.Authorized != (d.Error.Code == permit) {
			return fmt.Errorf("%w: decided %+v", errStatus, d)
		}
		for _, answer := range answers {
			if d.Error.Code == answer {
				return nil
			}
		}
		return fmt.Errorf("%w: decided %q, want one of %q", errStatus, d.Error.Code, answers)
	}
}

// logsOut logs out, with the device's proof a single logout.
func logsOut(w who) func(*tale, context.Context) error {
	return func(s *tale, ctx context.Context) error { return s.logOut(ctx, w(s), w(s).on.proof()) }
}

func (s *tale) logOut(ctx context.Context, p player, proof []string) error {
	a, err := p.app.v2(ctx, "GET", "logout/AcmeTV?redirectUrl="+url.QueryEscape(home), p.on, "", proof...)
	var out struct {
		Logouts map[string]struct{ ActionName, URL string }
	}
	if err = want(a, err, http.StatusOK, &out); err != nil {
		return err
	}
	if at := out.Logouts["AcmeTV"].URL; at != "" {
		s.farewell = at
	}
	return nil
}

// leaveMVPD opens the logout agent URL. When the logout was interrupted the app
// was not given one; and the URL works once, whether or not its answer came.
func (s *tale) leaveMVPD(ctx context.Context) error {
	if s.farewell == "" {
		return nil
	}
	if s.foreign {
		return s.logOutAbroad(ctx)
	}
	end, a, err := s.browser.follow(ctx, publicURL+s.farewell, nil)
	if err == nil && end != home && !(s.interrupted && a.Status == http.StatusBadRequest) {
		err = fmt.Errorf("%w: ended at %s: %d", errStatus, end, a.Status)
	}
	return err
}

// agrees checks that the phone's own login and what the TV finds by its proof
// are both there or both not: a login or logout that is half done shows as one
// without the other.
func (s *tale) agrees(ctx context.Context) error {
	if s.parted || len(s.tv.on.proof()) == 0 || len(s.phone.on.proof()) == 0 {
		return nil
	}
	var own, shared found
	a, err := s.phone.app.v2(ctx, "GET", "profiles/AcmeTV", s.phone.on, "")
	if err = want(a, err, http.StatusOK, &own); err != nil {
		return err
	}
	if err := s.tv.v2(ctx, "GET", "profiles/AcmeTV", "", &shared); err != nil {
		return err
	}
	if len(own.Profiles) != len(shared.Profiles) {
		return fmt.Errorf("%w: half of it: own login %v, shared login %v", errStatus, own.Profiles, shared.Profiles)
	}
	return nil
}

// expireToken puts the expiry of the phone's service token into the past.
func (s *tale) expireToken(d time.Duration) error {
	claims := jwt.MapClaims{}
	if err := readClaims(s.phone.on.token, &claims); err != nil {
		return err
	}
	exp := time.Now().Add(-d)
	claims["exp"], claims["nbf"], claims["iat"] = exp.Unix(), exp.Add(-time.Hour).Unix(), exp.Add(-time.Hour).Unix()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.secret)
	s.phone.on.token = token
	return err
}

// failsWith expects an error of the SSO Service.
func failsWith(a examples.Answer, err error, status int, code string) error {
	var out struct{ Error struct{ Code string } }
	if err = want(a, err, status, &out); err == nil && out.Error.Code != code {
		err = fmt.Errorf("%w: refused as %s, want %s", errStatus, out.Error.Code, code)
	}
	return err
}

// eventually repeats a step until it succeeds or two minutes are over.
func eventually(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := step(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// answered is a check of the SSO Service's answer to one call of a device.
func (p player) answered(ctx context.Context, method, operation string, status int, code string) error {
	a, err := p.app.send(ctx, method, operation, p.on, nil)
	return failsWith(a, err, status, code)
}

// hasMembers checks that a device lists members of these types, and no others.
func (p player) hasMembers(ctx context.Context, types map[string]string) error {
	devices, err := p.app.list(ctx, p.on)
	if err != nil {
		return err
	}
	got := map[string]string{}
	for id, member := range devices {
		got[id] = member.Type
	}
	if fmt.Sprint(got) != fmt.Sprint(types) {
		return fmt.Errorf("%w: members %v, want %v", errStatus, got, types)
	}
	return nil
}
