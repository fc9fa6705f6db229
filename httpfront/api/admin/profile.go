package admin

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"ssod/actors/erasure"
	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
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
	Ended    *time.Time `json:"ended,omitempty"`   // replaced, cancelled or refused
	Pending  bool       `json:"pending,omitempty"` // a device of another network waits with it
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
		v := codeView{NotAfter: at(code.NotAfterMs), Used: moment(code.UsedMs), Ended: moment(code.EndedMs), Pending: code.Guest != nil}
		view.LinkCodes = append(view.LinkCodes, v)
	}
	for _, shared := range s.Logins {
		view.Logins = append(view.Logins, newLoginView(shared.GetLogin()))
	}
	return view, nil
}

// moment is a time that may not have come.
func moment(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := at(ms)
	return &t
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

// erasedView is the answer of DELETE /admin/v1/profile and /admin/v1/device.
type erasedView struct {
	Job      string `json:"job,omitempty"` // to be asked for again with ?job=; not done
	Profiles int    `json:"profiles"`
	Devices  int    `json:"devices"`
	Logins   int    `json:"logins"`
	Sessions int    `json:"sessions"`
	Trials   int    `json:"trials"`
}

// eraseProfile serves DELETE /admin/v1/profile: the viewer's profile and what its
// member devices have are erased, from every file of every node. It may be
// repeated. What takes long is answered 202 with a job to ask for.
func eraseProfile(ctx context.Context, c *call) (any, error) {
	if c.URL.Query().Has("job") {
		return awaitErasure(ctx, c)
	}
	id, realm, err := c.target()
	if err != nil {
		return nil, err
	}
	return beginErasure(ctx, c, erasure.Target{Realm: realmOf(realm), Viewer: id})
}

// eraseDevice serves DELETE /admin/v1/device: what a device has in a realm.
func eraseDevice(ctx context.Context, c *call) (any, error) {
	if c.URL.Query().Has("job") {
		return awaitErasure(ctx, c)
	}
	q, err := c.query("realm", "device")
	if err != nil {
		return nil, err
	}
	realm, ok := c.Settings().Realm(q["realm"])
	if !ok {
		return nil, badRequest("there is no realm %q", q["realm"])
	}
	id, err := base64.StdEncoding.DecodeString(q["device"])
	if err != nil || len(id) == 0 || len(id) > maxDevice {
		return nil, badRequest("device is not the Base64 of 1 to %d bytes, as list and profile show have it", maxDevice)
	}
	c.note("realm", realm.ID)
	return beginErasure(ctx, c, erasure.Target{Realm: realmOf(realm), Device: id})
}

// maxDevice is the length of a decoded device identifier.
const maxDevice = 256

func realmOf(r *config.Realm) erasure.Realm {
	providers := make(map[string]bool)
	for i := range r.ServiceProviders {
		providers[r.ServiceProviders[i].ID] = true
	}
	return erasure.Realm{ID: r.ID, ServiceProviders: providers}
}

func beginErasure(ctx context.Context, c *call, what erasure.Target) (any, error) {
	job, err := c.Erasure.Begin(what)
	if err != nil {
		return nil, err
	}
	return erasureOf(ctx, c, job)
}

func awaitErasure(ctx context.Context, c *call) (any, error) {
	q, err := c.query("job")
	if err != nil {
		return nil, err
	}
	return erasureOf(ctx, c, q["job"])
}

func erasureOf(ctx context.Context, c *call, job string) (any, error) {
	e, done, err := c.Erasure.Await(ctx, job)
	switch {
	case err != nil:
		return nil, err
	case !done:
		return accepted{erasedView{Job: job}}, nil
	}
	c.note("devices", e.Devices)
	return erasedView{Profiles: e.Profiles, Devices: e.Devices, Logins: e.Logins, Sessions: e.Sessions, Trials: e.Trials}, nil
}
