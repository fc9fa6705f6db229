package entitlement

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/device"
	"ssod/actors/login"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/wire"
)

// decision is the answer for one resource.
type decision struct {
	by      source
	asked   bool   // the MVPD was, in this call
	code    string // of the error; empty: permitted
	details string // of the error, in the MVPD's words
	permit  permit
	token   string // serialized media token
	// When the token is good.
	tokenFrom, tokenUntil time.Time
}

// source is who decided.
type source uint8

const (
	byMVPD  source = iota
	byRule         // of degradation; the MVPD was not asked
	byTrial        // of temporary access; there is no MVPD
)

// sources are the values of httpfront/docs/entitlement.md#decisions.
var sources = [...]string{byMVPD: "mvpd", byRule: "degradation", byTrial: "temppass"}

// asking is one call for decisions.
type asking struct {
	app
	device     device.ID
	resources  []string
	provider   *mvpd.Provider
	informs    bool // preauthorize
	identities []identity
}

// Authorize serves POST /api/v2/{serviceProvider}/decisions/authorize/{mvpd}.
func (s *Service) Authorize(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.answerDecisions(ctx, r, false)
}

// Preauthorize serves POST /api/v2/{serviceProvider}/decisions/preauthorize/{mvpd}.
// Its answers inform only: there is no media token in them, and what is
// permitted here must still be permitted for playing.
func (s *Service) Preauthorize(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.answerDecisions(ctx, r, true)
}

func (s *Service) answerDecisions(ctx context.Context, r *api.Request, informs bool) (api.Response, error) {
	q, err := s.asking(ctx, r, informs)
	if err != nil {
		return api.Response{}, err
	}
	decisions, err := s.decide(ctx, r, q)
	if err != nil {
		return api.Response{}, err
	}
	s.Metrics.decided(r, q, decisions)
	s.tellDenied(r, q, decisions)
	return answerDecisions(r, q, decisions), nil
}

// asking checks a call in the order of httpfront/docs/entitlement.md#check-order.
func (s *Service) asking(ctx context.Context, r *api.Request, informs bool) (*asking, error) {
	a, d, err := s.admitDevice(r)
	if err != nil {
		return nil, err
	}
	q := &asking{app: a, device: d, informs: informs}
	if q.resources, err = resources(r); err != nil {
		return nil, err
	}
	if q.provider, err = s.Providers.Find(r.Config, r.Realm, a.provider.ID, r.Item); err != nil {
		return nil, err
	}
	q.identities, err = s.identities(ctx, r, a, d.Device)
	return q, err
}

// call names the call.
func (q *asking) call() string {
	if q.informs {
		return "preauthorize"
	}
	return "authorize"
}

// limit is how many resources one call may name.
func (q *asking) limit(r *api.Request) int {
	if q.informs {
		return r.Realm.Limits.Preauthorize
	}
	return r.Realm.Limits.Authorize
}

// decide answers each resource. What is wrong with the viewer's login is the
// answer for all of them.
func (s *Service) decide(ctx context.Context, r *api.Request, q *asking) ([]decision, error) {
	decisions := make([]decision, len(q.resources))
	if len(q.resources) > q.limit(r) {
		return denyAll(decisions, "too_many_resources"), nil
	}
	if headers.CheckTemporaryIdentity(r) != nil && !q.informs {
		return denyAll(decisions, api.TemporaryIdentityCode), nil
	}
	if q.rule(r, r.Item) == config.AuthZNone {
		s.byRule(r, q, finding{}, decisions)
		return decisions, nil
	}
	if isTemporary(q.provider) && q.rule(r, r.Item) != config.AuthNAll {
		return s.decideTemporary(ctx, r, q, decisions)
	}
	found, err := s.findOrDegrade(ctx, r, q.app, q.device, q.identities, r.Item)
	if err != nil {
		return nil, err
	}
	if code, bad := profileCodes[found.Standing(r.Received)]; bad {
		return denyAll(decisions, code), nil
	}
	if !s.byRule(r, q, found, decisions) {
		if err := s.judge(ctx, r, q, found, decisions); err != nil {
			return nil, err
		}
	}
	if q.informs {
		return decisions, nil
	}
	return decisions, s.sign(ctx, r, q, found, decisions)
}

// profileCodes say why there is no login to decide on.
var profileCodes = map[login.Standing]string{
	login.Missing:     "authenticated_profile_missing",
	login.Expired:     "authenticated_profile_expired",
	login.Invalidated: "authenticated_profile_invalidated",
}

func denyAll(decisions []decision, code string) []decision {
	for i := range decisions {
		decisions[i].code = code
	}
	return decisions
}

// judge fills in what is remembered and asks the MVPD for the rest.
func (s *Service) judge(ctx context.Context, r *api.Request, q *asking, found finding, decisions []decision) error {
	var open []int
	for i, resource := range q.resources {
		p, ok := s.remembered(q, found, resource, r.Received)
		if decisions[i].permit = p; !ok {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return nil
	}
	running := s.refresh(ctx, r, q, found)
	answers, err := s.ask(ctx, r, q, found, open)
	if err != nil {
		return err
	}
	if running.ended(ctx) {
		denyAll(decisions, profileCodes[login.Invalidated])
		return nil
	}
	void := false
	for n, i := range open {
		decisions[i].asked = true
		void = void || answers[n].Verdict == mvpd.SessionInvalidated
		if decisions[i].code = answers[n].Verdict.Code(q.informs); decisions[i].code != "" {
			decisions[i].details = answers[n].Details()
			continue
		}
		decisions[i].permit = q.permit(r, found, answers[n].TTL)
		s.permits.put(q.key(found, q.resources[i]), decisions[i].permit)
	}
	if void {
		return s.invalidate(ctx, r, q, found)
	}
	return nil
}

// ask asks the MVPD about some of the resources.
func (s *Service) ask(ctx context.Context, r *api.Request, q *asking, found finding, open []int) ([]mvpd.Decision, error) {
	account := &login.Account{}
	if err := proto.Unmarshal(found.GetAccount(), account); err != nil {
		return nil, err
	}
	asked := make([]string, len(open))
	for n, i := range open {
		asked[n] = q.resources[i]
	}
	who, err := s.whoAsks(r, q, found)
	if err != nil {
		return nil, err
	}
	return q.provider.Decide(ctx, mvpd.Question{
		Requester: who,
		Subject:   account.GetSubject(), Handle: account.GetHandle(), ServiceProvider: q.app.provider.ID,
		Resources: asked, Preauthorize: q.informs, Languages: string(r.Header(wire.AcceptLanguage)),
	}), nil
}

// invalidate notes that the MVPD voided the login, wherever it is kept;
// httpfront/docs/flows.md#voided-login.
func (s *Service) invalidate(ctx context.Context, r *api.Request, q *asking, found finding) error {
	if found.via != nil {
		return s.Profiles.Invalidate(ctx, r.ID, found.via.id, found.Login)
	}
	return s.Devices.Invalidate(ctx, r.ID, q.device, found.Login)
}

// remembered is a permit of before. What may be played may be listed, too; not
// the other way round.
func (s *Service) remembered(q *asking, found finding, resource string, now time.Time) (permit, bool) {
	k := q.key(found, resource)
	p, ok := s.permits.get(k, now)
	if !ok && q.informs {
		k.informs = false
		p, ok = s.permits.get(k, now)
	}
	return p, ok
}

func (q *asking) key(found finding, resource string) permitKey {
	k := permitKey{serviceProvider: q.app.provider.ID, resource: resource, informs: q.informs}
	copy(k.login[:], found.GetId())
	return k
}

// permit is how long a permit counts: never longer than the login.
func (q *asking) permit(r *api.Request, found finding, ttl time.Duration) permit {
	if ttl <= 0 {
		ttl = q.provider.Config.AuthzTTL
	}
	until := r.Received.Add(ttl)
	if end := time.UnixMilli(found.GetNotAfterMs()); end.Before(until) {
		until = end
	}
	return permit{r.Received, until}
}
