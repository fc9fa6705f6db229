package admin

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/httpfront/config"
	"ssod/httpfront/keys"
)

// profileView is what is stored for one viewer. Link codes are stored as keyed
// digests, which are left out: they would let a guess be checked.
type profileView struct {
	Realm     string       `json:"realm"`
	Namespace string       `json:"namespace"`
	Subject   string       `json:"subject"`
	Devices   []deviceView `json:"devices"`
	LinkCodes []codeView   `json:"linkCodes"`
	Logins    []loginView  `json:"logins"`
}

type deviceView struct {
	Device     string            `json:"device"` // as in /list: Base64
	Type       string            `json:"type"`
	Membership int64             `json:"membership"`
	LastSeen   time.Time         `json:"lastSeen"`
	Attributes map[string]string `json:"attributes"`
}

type codeView struct {
	NotAfter time.Time  `json:"notAfter"`
	Used     *time.Time `json:"used,omitempty"`
}

// loginView is a login at an MVPD that the profile's devices find; what the
// MVPD said of the viewer is left out.
type loginView struct {
	MVPD        string    `json:"mvpd"`
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
	Invalidated bool      `json:"invalidated,omitempty"`
}

// target reads which profile a call is about.
func (c *call) target() (profile.ID, *config.Realm, error) {
	q, err := c.query("realm", "namespace", "subject")
	if err != nil {
		return profile.ID{}, nil, err
	}
	id := profile.ID{Realm: q["realm"], Namespace: cmp.Or(q["namespace"], profile.NamespaceSSO), Subject: q["subject"]}
	if id.Realm == "" || strings.TrimSpace(id.Subject) == "" {
		return id, nil, badRequest("realm and subject are required")
	}
	if len(id.Subject) > keys.MaxSubject || len(id.Namespace) > 1024 {
		return id, nil, badRequest("subject is longer than %d bytes or namespace longer than 1024", keys.MaxSubject)
	}
	realm, ok := c.Settings().Realm(id.Realm)
	if !ok {
		return id, nil, badRequest("there is no realm %q", id.Realm)
	}
	c.note("realm", id.Realm)
	c.note("profile", c.Viewer(id))
	return id, realm, nil
}

// showProfile serves GET /admin/v1/profile.
func showProfile(ctx context.Context, c *call) (any, error) {
	id, _, err := c.target()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	state, ok, err := c.Profiles.Show(ctx, c.id, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("profile %w", errNotFound)
	}
	return newProfileView(id, state)
}

func newProfileView(id profile.ID, s *profile.State) (profileView, error) {
	view := profileView{Realm: id.Realm, Namespace: id.Namespace, Subject: id.Subject, Devices: []deviceView{}, LinkCodes: []codeView{}, Logins: []loginView{}}
	for _, m := range s.Members {
		d, err := newDeviceView(m)
		if err != nil {
			return view, err
		}
		view.Devices = append(view.Devices, d)
	}
	for _, code := range s.Codes {
		v := codeView{NotAfter: at(code.NotAfterMs)}
		if code.UsedMs != 0 {
			used := at(code.UsedMs)
			v.Used = &used
		}
		view.LinkCodes = append(view.LinkCodes, v)
	}
	for _, shared := range s.Logins {
		view.Logins = append(view.Logins, newLoginView(shared.GetLogin()))
	}
	return view, nil
}

func newLoginView(l *login.Login) loginView {
	return loginView{MVPD: l.GetMvpd(), NotBefore: at(l.GetNotBeforeMs()), NotAfter: at(l.GetNotAfterMs()), Invalidated: l.GetInvalidatedMs() != 0}
}

func newDeviceView(m *profile.Member) (deviceView, error) {
	a, err := profile.DecodeAttributes(m.Attributes)
	if err != nil {
		return deviceView{}, fmt.Errorf("decode the attributes of membership %d: %w", m.Membership, err)
	}
	d := deviceView{
		Device: base64.StdEncoding.EncodeToString(m.Device), Type: "sso",
		Membership: m.Membership, LastSeen: at(m.LastSeenMs), Attributes: map[string]string{},
	}
	if m.Type == profile.MemberType_REGULAR {
		d.Type = "regular"
	}
	for name, value := range map[string]string{
		"deviceType": a.DeviceType, "model": a.Model, "os": a.Os, "osVersion": a.OsVersion,
		"platform": a.Platform, "userAgent": a.UserAgent, "manufacturer": a.Manufacturer, "vendor": a.Vendor,
	} {
		if value != "" {
			d.Attributes[name] = value
		}
	}
	return d, nil
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// erased is the answer of DELETE /admin/v1/profile.
type erased struct {
	Devices int `json:"devices"`
}

// eraseProfile serves DELETE /admin/v1/profile. It is idempotent: a profile
// that is not there has lost no devices.
func eraseProfile(ctx context.Context, c *call) (any, error) {
	id, realm, err := c.target()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	devices, freed, err := c.Profiles.Erase(ctx, c.id, id, realm.TokenLife())
	if err != nil {
		return nil, err
	}
	c.LinkDirectory.Retire(c.id, id.Realm, freed...)
	c.note("devices", devices)
	return erased{devices}, nil
}
