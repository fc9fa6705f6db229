package entitlement

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ssod/actors/device"
	"ssod/actors/login"
	"ssod/actors/once"
	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// Partner single sign-on is what a device's maker knows of its viewer's TV
// provider; httpfront/docs/entitlement.md#partner-single-sign-on. Where it does not work,
// apps are told to go on without.
const (
	// appleSSO is the type of the profiles that it makes.
	appleSSO = "appleSSO"

	// Why there is no partner's way in.
	configurationFallback = "configuration_fallback"
	statusFallback        = "pfs_fallback"
	parametersFallback    = "missing_parameters_fallback"

	// maxSAMLResponse bounds what a partner's framework says, decoded.
	maxSAMLResponse = 256 << 10
	// partnerLife is how long a request of the service can be answered.
	partnerLife = 30 * time.Minute
)

// partnerRequest is what an app hands to the partner's framework.
type partnerRequest struct {
	Type            string   `json:"type"`
	Request         string   `json:"request"`
	AttributesNames []string `json:"attributesNames"`
}

// CreatePartnerSession serves POST /api/v2/{serviceProvider}/sessions/sso/{partner}: a
// request for the framework, or a session like any other, whose reason says why the partner
// cannot help.
func (s *Service) CreatePartnerSession(ctx context.Context, r *api.Request) (api.Response, error) {
	a, d, err := s.admitDevice(r)
	if err != nil {
		return api.Response{}, err
	}
	if err := checkPartner(r); err != nil {
		return api.Response{}, err
	}
	partner := r.Realm.Partner(r.Item)
	if partner == nil {
		return s.createSession(ctx, r, configurationFallback)
	}
	id, err := headers.PartnerMVPD(r, partner)
	if err != nil {
		return s.createSession(ctx, r, statusFallback)
	}
	p, by := s.partnerMVPD(r, a, id)
	if by == nil {
		return s.createSession(ctx, r, configurationFallback)
	}
	parameters, err := s.parameters(r, a)
	if err != nil {
		return api.Response{}, err
	}
	if parameters.GetDomainName() == "" || parameters.GetRedirectUrl() == "" {
		return s.createSession(ctx, r, parametersFallback)
	}
	found, err := s.findOrDegrade(ctx, r, a, d, nil, id)
	if err != nil {
		return api.Response{}, err
	}
	if found.Standing(r.Received) == login.Good {
		return answerJSON(r, authorizeAnswer(a.provider.ID, string(r.AppendTrace(nil)), found))
	}
	message, names, err := by.PartnerRequest(ctx, s.partnerLogin(r, d, p.Config, partnerSerial(r.Received)))
	if err != nil {
		s.Log.Warn("a TV provider cannot be asked through a partner", "mvpd", id, "trace", string(r.AppendTrace(nil)), "error", err)
		return s.createSession(ctx, r, configurationFallback)
	}
	return answerJSON(r, &sessionAnswer{
		ActionName: "partner_profile", ActionType: "direct", ReasonType: noReason,
		URL: "/api/v2/" + a.provider.ID + "/profiles/sso/" + r.Item, SessionID: string(r.AppendTrace(nil)),
		MVPD: id, ServiceProvider: a.provider.ID,
		AuthenticationRequest: &partnerRequest{"saml", base64.StdEncoding.EncodeToString(message), names},
	})
}

// partnerMVPD is an MVPD that can be asked through a partner; nil: it cannot.
func (s *Service) partnerMVPD(r *api.Request, a app, id string) (*mvpd.Provider, mvpd.PartnerConnector) {
	p, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, id)
	if err != nil {
		return nil, nil
	}
	by, _ := p.Connector.(mvpd.PartnerConnector)
	return p, by
}

// partnerLogin is a login through a partner. Its secrets follow from the device and a serial,
// so that nothing is stored until it is answered, and the answer counts on no other device. The
// nonce, which comes back, begins with the serial.
func (s *Service) partnerLogin(r *api.Request, d device.ID, m *config.MVPD, serial string) mvpd.Login {
	_, provider, _ := r.Config.ServiceProvider(d.ServiceProvider)
	key := s.browserKey(r.Realm, "partner\x00"+d.Address().Identity.Encode())
	l := mvpd.Login{
		Secrets:  mvpd.DeriveSecrets(key, "partner."+m.ID+"."+serial),
		Callback: r.Config.PublicURL + loginCallback, ServiceProvider: provider.DisplayName, ServiceProviderID: d.ServiceProvider,
	}
	l.Nonce = serial + "." + l.Nonce
	return l
}

// partnerSerial is that of a login which begins now. No two are the same: a provider may refuse
// an id of a request that it has seen.
func partnerSerial(at time.Time) string {
	return strconv.FormatInt(at.UnixMilli(), 36) + "-" + rand.Text()
}

// answeredLogin is the login that an answer with a nonce belongs to, if it is one of the device
// and not too old.
func (s *Service) answeredLogin(r *api.Request, d device.ID, m *config.MVPD, nonce string) (mvpd.Login, error) {
	serial, _, _ := strings.Cut(nonce, ".")
	begun, _, _ := strings.Cut(serial, "-")
	ms, err := strconv.ParseInt(begun, 36, 64)
	if age := r.Received.Sub(time.UnixMilli(ms)); err != nil || age < -partnerSkew || age > partnerLife {
		return mvpd.Login{}, &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: errPartnerRequest}
	}
	return s.partnerLogin(r, d, m, serial), nil
}

// partnerSkew is how far the clocks of two nodes may be apart.
const partnerSkew = time.Minute

var errPartnerRequest = errors.New("the answer is to no request of the last 30 minutes")

// PartnerProfile serves POST /api/v2/{serviceProvider}/profiles/sso/{partner}: what the MVPD
// answered through a partner's framework makes a login of the device.
func (s *Service) PartnerProfile(ctx context.Context, r *api.Request) (api.Response, error) {
	a, d, err := s.admitDevice(r)
	if err != nil {
		return api.Response{}, err
	}
	if err := checkPartner(r); err != nil {
		return api.Response{}, err
	}
	given, said, err := samlResponse(r)
	if err != nil {
		return api.Response{}, err
	}
	partner := r.Realm.Partner(r.Item)
	if partner == nil {
		return answerProfiles(r, nil)
	}
	id, err := headers.PartnerMVPD(r, partner)
	if err == nil && given["mvpd"] != "" && given["mvpd"] != id {
		err = api.ErrPartnerMismatch
	}
	if err != nil {
		return api.Response{}, err
	}
	if a.rule(r, id) == config.AuthNAll {
		return s.answerDegraded(r, a, d, id)
	}
	p, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, id)
	if err != nil {
		return api.Response{}, err
	}
	found, err := s.partnerFinding(ctx, r, a, d, p, said)
	if err != nil {
		return api.Response{}, err
	}
	answer, err := s.answerFound(r, a, []finding{found})
	answer.Status = http.StatusCreated
	return answer, err
}

// samlResponse reads the form of a call for a partner's profile.
func samlResponse(r *api.Request) (given map[string]string, said []byte, err error) {
	given, ok := form.Parse(string(r.Body))
	if !ok || !r.HasForm() {
		return nil, nil, api.ErrSAMLResponse
	}
	if said, ok = headers.Base64([]byte(given["SAMLResponse"]), maxSAMLResponse); !ok || len(said) == 0 {
		return nil, nil, api.ErrSAMLResponse
	}
	return given, said, nil
}

// partnerFinding judges an answer and keeps the login on the device, in a session that begins
// and ends here.
func (s *Service) partnerFinding(ctx context.Context, r *api.Request, a app, d device.ID, p *mvpd.Provider, said []byte) (finding, error) {
	who, err := s.partnerViewer(ctx, r, d, p, said)
	if err != nil {
		return finding{}, err
	}
	m, err := s.describe(r, a, d, nil)
	if err != nil {
		return finding{}, err
	}
	l, err := newLogin(r, p.Config, who, m.Party)
	if err != nil {
		return finding{}, err
	}
	l.Source, l.Partner = s.source(r, &who, who.Issued), r.Item
	id, _, err := s.beginSession(ctx, r, d, m)
	if err != nil {
		return finding{}, err
	}
	err = s.Sessions.Finish(ctx, r.ID, id, &session.Finish{Browser: session.Digest(drawSecret()), Login: l})
	return finding{Login: l, kind: appleSSO}, err
}

// partnerViewer is who logged in at the MVPD. The answer must be to a request of this
// device, and counts once.
func (s *Service) partnerViewer(ctx context.Context, r *api.Request, d device.ID, p *mvpd.Provider, said []byte) (mvpd.Identity, error) {
	by, ok := p.Connector.(mvpd.PartnerConnector)
	if !ok {
		return mvpd.Identity{}, api.ErrSAMLResponse
	}
	// The state is for browsers; here the device stands for it.
	got, err := by.Receive(ctx, url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(said)}, "RelayState": {"partner"}})
	if err != nil {
		return mvpd.Identity{}, unusable(r, p, err)
	}
	l, err := s.answeredLogin(r, d, p.Config, got.Nonce)
	if err != nil {
		return mvpd.Identity{}, unusable(r, p, err)
	}
	who, err := by.Complete(ctx, l, got.Values)
	if err != nil {
		return mvpd.Identity{}, unusable(r, p, err)
	}
	for _, id := range got.Once {
		if err := s.claim(ctx, r, p, "answer", id); err != nil {
			return mvpd.Identity{}, unusable(r, p, err)
		}
	}
	return who, nil
}

// unusable is what an app is told of an answer that does not count; the reason is for
// operators.
func unusable(r *api.Request, p *mvpd.Provider, err error) error {
	p.Warn("an answer through a partner was refused", "trace", string(r.AppendTrace(nil)), "error", err)
	_, told := errors.AsType[*mvpd.LoginError](err)
	if told || errors.Is(err, once.ErrTaken) {
		return api.ErrSAMLResponse
	}
	return err
}

// checkPartner checks the partner that the path names, where it names one.
func checkPartner(r *api.Request) error {
	if r.Item != "" && r.Item != config.PartnerApple {
		return api.ErrPartner
	}
	return nil
}

// vouched reports whether the framework says with this request that a login which it made
// still counts: the viewer can take the permission back.
func vouched(r *api.Request, l *login.Login) bool {
	partner := r.Realm.Partner(l.GetPartner())
	if partner == nil {
		return false
	}
	id, err := headers.PartnerMVPD(r, partner)
	return err == nil && id == l.GetMvpd()
}
