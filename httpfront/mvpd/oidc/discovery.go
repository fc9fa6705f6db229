package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

const (
	discoverEvery   = time.Hour
	discoverRetry   = 10 * time.Second // after a failure
	discoverTimeout = 4 * time.Second
)

// algorithms are the signatures that are accepted: those by a key that only the
// provider has (RFC 7518, 3.1; RFC 8037, 3.1).
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// document is what matters of a discovery document; OpenID Connect Discovery 1.0, 3.
type document struct {
	AuthURL     string   `json:"authorization_endpoint"`
	TokenURL    string   `json:"token_endpoint"`
	UserinfoURL string   `json:"userinfo_endpoint"`
	LogoutURL   string   `json:"end_session_endpoint"`
	KeysURL     string   `json:"jwks_uri"`
	Algorithms  []string `json:"id_token_signing_alg_values_supported"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	// ResponseModes are those that the provider has; none: it does not say.
	ResponseModes []string `json:"response_modes_supported"`
	// NamesItself: each answer has the issuer's name (RFC 9207, 3).
	NamesItself bool `json:"authorization_response_iss_parameter_supported"`
}

// provider is a discovery document that was understood.
type provider struct {
	document
	style      oauth2.AuthStyle
	keys       oidc.KeySet
	verifier   *oidc.IDTokenVerifier
	logoutKeys oidc.KeySet
	logouts    *oidc.IDTokenVerifier
}

// discovery keeps the document of an issuer.
type discovery struct {
	config  *config.MVPD
	client  *http.Client
	now     func() time.Time
	log     *slog.Logger
	current atomic.Pointer[snapshot]
	turn    chan struct{} // taken by the one who fetches
}

// snapshot is the outcome of the last fetch.
type snapshot struct {
	*provider           // of the last one that went well; nil if none did
	failure   error     // of the last one
	again     time.Time // when to fetch next
}

func newDiscovery(m *config.MVPD, client *http.Client, o Options) *discovery {
	d := &discovery{config: m, client: client, now: o.Now, log: o.Log, turn: make(chan struct{}, 1)}
	d.current.Store(&snapshot{})
	return d
}

// get returns what the issuer said last. One caller at a time asks it again when
// that is due; meanwhile the others go on with what there is, or wait.
func (d *discovery) get(ctx context.Context) (*provider, error) {
	s := d.current.Load()
	if d.fresh(s) {
		return s.outcome()
	}
	select {
	case d.turn <- struct{}{}:
	default:
		if s.provider != nil {
			return s.provider, nil
		}
		select {
		case d.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-d.turn }()
	if s = d.current.Load(); !d.fresh(s) {
		s = d.renew(ctx, s)
		d.current.Store(s)
	}
	return s.outcome()
}

func (d *discovery) fresh(s *snapshot) bool { return d.now().Before(s.again) }

func (s *snapshot) outcome() (*provider, error) {
	if s.provider != nil {
		return s.provider, nil
	}
	return nil, s.failure
}

// renew asks the issuer. A failure is remembered for a moment, so that an issuer
// that is down is not asked by every login.
func (d *discovery) renew(ctx context.Context, old *snapshot) *snapshot {
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	p, err := d.fetch(ctx, old.provider)
	if err != nil {
		d.log.Warn("discovery of a TV provider failed", "mvpd", d.config.ID, "known", old.provider != nil, "error", err)
		return &snapshot{old.provider, err, d.now().Add(discoverRetry)}
	}
	return &snapshot{p, nil, d.now().Add(discoverEvery)}
}

func (d *discovery) fetch(ctx context.Context, old *provider) (*provider, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, d.client), d.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery of %s: %w", d.config.Issuer, brief(err))
	}
	p := &provider{}
	if err := found.Claims(&p.document); err != nil {
		return nil, errors.New("the discovery document has members of other types")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(p.ResponseModes) > 0 && !slices.Contains(p.ResponseModes, d.config.ResponseMode) && d.config.ResponseMode == config.ResponseFormPost {
		return nil, errors.New("the provider does not have responseMode form_post")
	}
	p.style = p.authStyle(d.config.ClientSecretFile != "")
	d.keySets(p, old)
	expected := &oidc.Config{ClientID: d.config.ClientID, SupportedSigningAlgs: p.Algorithms, Now: d.now}
	p.verifier = oidc.NewVerifier(d.config.Issuer, p.keys, expected)
	p.logouts = oidc.NewVerifier(d.config.Issuer, p.logoutKeys, expected)
	return p, nil
}

// brief drops what a stranger's answer says beyond a line.
func brief(err error) error {
	const most = 200
	if text := err.Error(); len(text) > most {
		return errors.New(text[:most])
	}
	return err
}

// keySets keeps the keys that are known while their address stays: a document may
// come when the keys do not.
func (d *discovery) keySets(p, old *provider) {
	if old != nil && old.KeysURL == p.KeysURL {
		p.keys, p.logoutKeys = old.keys, old.logoutKeys
		return
	}
	p.keys, p.logoutKeys = remoteKeys(d.client, p.KeysURL), logoutKeysOf(d.client, p.KeysURL, d.now)
}

// check refuses a document that sends secrets where others can read them, and one
// without an acceptable signature.
func (p *provider) check() error {
	for name, url := range map[string]string{"authorization_endpoint": p.AuthURL, "token_endpoint": p.TokenURL, "jwks_uri": p.KeysURL} {
		if !mvpd.Trustworthy(url) {
			return fmt.Errorf("%s of the discovery document is no https URL", name)
		}
	}
	for name, url := range map[string]string{"userinfo_endpoint": p.UserinfoURL, "end_session_endpoint": p.LogoutURL} {
		if url != "" && !mvpd.Trustworthy(url) {
			return fmt.Errorf("%s of the discovery document is no https URL", name)
		}
	}
	p.Algorithms = slices.DeleteFunc(p.Algorithms, func(name string) bool { return !slices.Contains(algorithms, name) })
	if len(p.Algorithms) == 0 {
		return errors.New("the provider signs ID tokens with no accepted algorithm")
	}
	return nil
}

// authStyle is how the client authenticates at the token endpoint: a code is good
// for one try, so it is not found out by trying. Basic is what every provider must
// understand (RFC 6749, 2.3.1).
func (p *provider) authStyle(secret bool) oauth2.AuthStyle {
	basic := len(p.AuthMethods) == 0 || slices.Contains(p.AuthMethods, "client_secret_basic")
	if secret && basic {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}
