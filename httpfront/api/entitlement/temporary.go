package entitlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/login"
	"ssod/actors/trial"
	"ssod/cluster"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/temppass"
)

// temporary is the type of a profile that needs no login for a while;
// httpfront/docs/entitlement.md#temporary-access.
const temporary = "temporary"

// Trials asks for trials; [trial.Client] does.
type Trials interface {
	Look(ctx context.Context, request cluster.RequestID, who trial.Caller, allowed trial.Allowed) (id []byte, v *trial.View, err error)
	Use(ctx context.Context, request cluster.RequestID, who trial.Caller, allowed trial.Allowed, labels []string) (*trial.Outcome, error)
}

func isTemporary(p *mvpd.Provider) bool { return p.Config.Kind == temppass.Kind }

// temporaryMVPD is the provider of an id that gives temporary access; nil: it does not.
func (s *Service) temporaryMVPD(r *api.Request, a app, id string) *mvpd.Provider {
	if id == "" {
		return nil
	}
	p, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, id)
	if err != nil || !isTemporary(p) {
		return nil
	}
	return p
}

// triesOut is who wants to watch without a login. An identity that the configuration
// demands must be there.
func (s *Service) triesOut(r *api.Request, m *config.MVPD, device []byte) (trial.Caller, error) {
	names := temppass.Names{Key: s.Tokens.LinkCodeKey(r.Realm.ID), MVPD: m.ID}
	who := trial.Caller{MVPD: trial.MVPD{Realm: r.Realm.ID, ID: m.ID}, Device: device, Network: names.Network(r.Address)}
	identity, sent, err := headers.TemporaryIdentity(r)
	if err == nil && m.IdentityKey != "" {
		identity, sent = identity.Of(m.IdentityKey)
		if !sent {
			err = api.ErrTemporaryIdentity
		}
	}
	if err != nil {
		return who, err
	}
	if sent {
		who.Identity = names.Identity(identity)
	}
	return who, nil
}

func allowedBy(m *config.MVPD) trial.Allowed {
	return trial.Allowed{TTL: m.TTL, MaxResources: m.MaxResources, PerAddress: m.TrialsPerAddress}
}

// usedUp says why a trial is no good any more; the errors of a call for a profile.
var usedUp = map[trial.Standing]error{
	trial.Standing_OVER:  api.ErrTrialOver,
	trial.Standing_SPENT: api.ErrTrialSpent,
}

// answerTemporary answers a query for the profile of somebody without a login.
func (s *Service) answerTemporary(ctx context.Context, r *api.Request, m *config.MVPD, device []byte) (api.Response, error) {
	who, err := s.triesOut(r, m, device)
	if err != nil {
		return api.Response{}, err
	}
	id, v, err := s.Trials.Look(ctx, r.ID, who, allowedBy(m))
	if err != nil {
		return api.Response{}, err
	}
	if err := usedUp[v.GetStanding()]; err != nil {
		return api.Response{}, err
	}
	found, err := s.trialLogin(r, m, device, id, v)
	if err != nil {
		return api.Response{}, err
	}
	return answerProfiles(r, []finding{found})
}

// trialLogin stands for the login that a trial makes unnecessary. It is made for one answer
// and never stored. One that has not begun would begin now.
func (s *Service) trialLogin(r *api.Request, m *config.MVPD, device, id []byte, v *trial.View) (finding, error) {
	began := r.Received.UnixMilli()
	if v.GetBeganMs() != 0 {
		began = v.GetBeganMs()
	}
	until := began + m.TTL.Milliseconds()
	names := temppass.Names{Key: s.Tokens.LinkCodeKey(r.Realm.ID), MVPD: m.ID}
	a := &login.Account{Subject: names.UserID(device)}
	err := add(a, "expiration_date", until)
	if m.MaxResources > 0 {
		used := append([]string{}, v.GetUsed()...) // a list, also where it is empty
		err = errors.Join(err, add(a, "remaining_resources", max(0, m.MaxResources-len(used))), add(a, "used_assets", used))
	}
	account, failed := proto.Marshal(a)
	return finding{kind: temporary, Login: &login.Login{
		Id: id, Mvpd: m.ID, Account: account, NotBeforeMs: began, NotAfterMs: until,
	}}, errors.Join(err, failed)
}

// add adds an attribute.
func add(a *login.Account, name string, value any) error {
	encoded, err := json.Marshal(value)
	a.Attributes = append(a.Attributes, &login.Attribute{Name: name, Value: encoded})
	return err
}

// withoutLogin stands for a login at an MVPD that gives temporary access where it does not
// matter whether that is used up: a session sends every app on to decisions.
func withoutLogin(r *api.Request, id string) finding {
	return finding{kind: temporary, Login: &login.Login{
		Mvpd: id, NotBeforeMs: r.Received.UnixMilli(), NotAfterMs: r.Received.Add(time.Minute).UnixMilli(),
	}}
}

// maxLabel is the longest name of a resource that is kept; a longer one is kept as its
// digest.
const maxLabel = 128

// label names a resource in a trial.
func label(resource string) string {
	if len(resource) <= maxLabel {
		return resource
	}
	sum := sha256.Sum256([]byte(resource))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// decideTemporary answers each resource by the caller's trial, which a call for playing
// begins.
func (s *Service) decideTemporary(ctx context.Context, r *api.Request, q *asking, decisions []decision) ([]decision, error) {
	m := q.provider.Config
	for i := range decisions {
		decisions[i].by = byTrial
	}
	who, err := s.triesOut(r, m, q.device.Device)
	switch {
	case err != nil && q.informs: // there the header is not sent
		who.Identity = nil
	case err != nil:
		return denyAll(decisions, api.TemporaryIdentityCode), nil
	}
	if q.informs {
		return s.foretell(ctx, r, who, m, decisions)
	}
	labels := make([]string, len(q.resources))
	for i, resource := range q.resources {
		labels[i] = label(resource)
	}
	outcome, err := s.Trials.Use(ctx, r.ID, who, allowedBy(m), labels)
	if err != nil {
		return nil, err
	}
	switch {
	case outcome.Crowded:
		return denyCrowded(decisions), nil
	case outcome.View.GetStanding() == trial.Standing_OVER:
		return denyAll(decisions, api.TrialOverCode), nil
	}
	found, err := s.trialLogin(r, m, q.device.Device, outcome.ID, outcome.View)
	if err != nil {
		return nil, err
	}
	until := permit{r.Received, time.UnixMilli(found.GetNotAfterMs())}
	for i := range decisions {
		if decisions[i].permit = until; !outcome.Permitted[i] {
			decisions[i].code = api.TrialSpentCode
		}
	}
	return decisions, s.sign(ctx, r, q, found, decisions)
}

// foretell says what a trial would permit, which does not begin by that.
func (s *Service) foretell(ctx context.Context, r *api.Request, who trial.Caller, m *config.MVPD, decisions []decision) ([]decision, error) {
	_, v, err := s.Trials.Look(ctx, r.ID, who, allowedBy(m))
	if err != nil {
		return nil, err
	}
	switch v.GetStanding() {
	case trial.Standing_OVER:
		denyAll(decisions, api.TrialOverCode)
	case trial.Standing_SPENT:
		denyAll(decisions, api.TrialSpentCode)
	}
	return decisions, nil
}

// denyCrowded denies a trial that may not begin. There is no code for it; that of a trial
// that is over has apps do what is left: offer a login.
func denyCrowded(decisions []decision) []decision {
	for i := range decisions {
		decisions[i].code, decisions[i].details = api.TrialOverCode, "Too many trials began from this network in the last 24 hours"
	}
	return decisions
}
