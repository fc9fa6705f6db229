package admin

import (
	"context"
	"encoding/base64"

	"ssod/actors/trial"
	"ssod/cluster"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd/temppass"
)

// Trials makes devices and viewers new to an MVPD of temporary access.
type Trials interface {
	ResetDevice(ctx context.Context, request cluster.RequestID, m trial.MVPD, device []byte) error
	ResetIdentity(ctx context.Context, request cluster.RequestID, m trial.MVPD, who temppass.Identity) error
	ResetAll(ctx context.Context, request cluster.RequestID, m trial.MVPD) error
}

// resetTrials serves DELETE /admin/v1/trials: one device, one identity, or all of an MVPD
// get a trial again.
func resetTrials(ctx context.Context, c *call) (any, error) {
	q, err := c.query("realm", "mvpd", "device", "identity", "all")
	if err != nil {
		return nil, err
	}
	m, err := c.temporaryAccess(q["realm"], q["mvpd"])
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	of := trial.MVPD{Realm: q["realm"], ID: m.ID}
	device, identity, all := q["device"], q["identity"], q["all"]
	switch {
	case device != "" && identity == "" && all == "":
		id, err := base64.StdEncoding.DecodeString(device)
		if err != nil || len(id) > maxDevice {
			return nil, badRequest("device is not the Base64 of 1 to %d bytes, as profile show and /list name it", maxDevice)
		}
		c.note("whose", "device")
		return nil, c.Trials.ResetDevice(ctx, c.id, of, id)
	case identity != "" && device == "" && all == "":
		who, ok := namedBy(identity, m)
		if !ok {
			return nil, badRequest("identity is not a JSON object that names a viewer, as apps send it in AP-TempPass-Identity before Base64")
		}
		c.note("whose", "identity")
		return nil, c.Trials.ResetIdentity(ctx, c.id, of, who)
	case all == "true" && device == "" && identity == "":
		c.note("whose", "all")
		return nil, c.Trials.ResetAll(ctx, c.id, of)
	}
	return nil, badRequest("exactly one of device, identity and all=true is needed")
}

// temporaryAccess finds an MVPD that gives temporary access, for the audit line too.
func (c *call) temporaryAccess(realm, mvpd string) (*config.MVPD, error) {
	r, ok := c.Settings().Realm(realm)
	if !ok {
		return nil, badRequest("there is no realm %q", realm)
	}
	for i := range r.MVPDs {
		if m := &r.MVPDs[i]; m.ID == mvpd && m.Kind == temppass.Kind {
			c.note("realm", realm)
			c.note("mvpd", mvpd)
			return m, nil
		}
	}
	return nil, badRequest("realm %s has no MVPD %q of kind %s", realm, mvpd, temppass.Kind)
}

// namedBy reads an identity as the front end does.
func namedBy(object string, m *config.MVPD) (temppass.Identity, bool) {
	who, ok := temppass.ParseIdentity([]byte(object))
	if ok && m.IdentityKey != "" {
		who, ok = who.Of(m.IdentityKey)
	}
	return who, ok
}
