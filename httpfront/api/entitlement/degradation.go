package entitlement

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"google.golang.org/protobuf/proto"

	"ssod/actors/device"
	"ssod/actors/login"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
)

// degraded is the type of a profile while nobody has to log in;
// httpfront/docs/entitlement.md#degradation.
const degraded = "degraded"

// rule is the rule of degradation for an MVPD, the same for all of a request.
func (a app) rule(r *api.Request, mvpd string) string {
	return a.rules.Rule(r.Realm, a.provider.ID, mvpd)
}

// degradedLogin stands for the login that a device does not need. It is made for one
// answer, the same each time, and is never stored or shared: when the rule ends there
// is nothing left of it.
func (s *Service) degradedLogin(r *api.Request, d device.ID, m *config.MVPD) (finding, error) {
	mac := hmac.New(sha256.New, s.Tokens.LinkCodeKey(r.Realm.ID))
	mac.Write([]byte("degraded\x00" + m.ID + "\x00" + d.Address().Identity.Encode()))
	sum := mac.Sum(nil)
	account, err := proto.Marshal(&login.Account{Subject: hex.EncodeToString(sum[16:])})
	if err != nil {
		return finding{}, err
	}
	return finding{kind: degraded, Login: &login.Login{
		Id: sum[:16], Mvpd: m.ID, Account: account,
		NotBeforeMs: r.Received.UnixMilli(), NotAfterMs: r.Received.Add(m.AuthnTTL).UnixMilli(),
	}}, nil
}

// findOrDegrade is find where a rule or temporary access may make the login unnecessary.
func (s *Service) findOrDegrade(ctx context.Context, r *api.Request, a app, d device.ID, identities []identity, id string) (finding, error) {
	if a.rule(r, id) != config.AuthNAll {
		if s.temporaryMVPD(r, a, id) != nil {
			return withoutLogin(r, id), nil
		}
		return s.find(ctx, r, d, identities, id)
	}
	p, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, id)
	if err != nil {
		return finding{}, err
	}
	return s.degradedLogin(r, d, p.Config)
}

// answerDegraded answers a query for a profile that nobody has to have.
func (s *Service) answerDegraded(r *api.Request, a app, d device.ID, id string) (api.Response, error) {
	p, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, id)
	if err != nil {
		return api.Response{}, err
	}
	found, err := s.degradedLogin(r, d, p.Config)
	if err != nil {
		return api.Response{}, err
	}
	return answerProfiles(r, []finding{found})
}

// byRule answers all resources by the rule that applies; false: by none.
func (s *Service) byRule(r *api.Request, q *asking, found finding, decisions []decision) bool {
	switch q.rule(r, r.Item) {
	case config.AuthZNone:
		denyAll(decisions, "authorization_denied_by_degradation_rule")
	case config.AuthNAll:
		for i := range decisions {
			decisions[i].permit = q.permit(r, found, 0)
		}
	case config.AuthZAll: // a permit without times, as documented
	default:
		return false
	}
	for i := range decisions {
		decisions[i].by = byRule
	}
	return true
}
