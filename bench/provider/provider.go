// Package provider is a TV provider for benches and tests, in the process of its caller:
// an OpenID provider where every browser is logged in at once, each as another viewer, and
// a decision point (AuthZEN 1.0) that decides as it is told.
//
//	/authorize   -> the redirect URI with a code
//	/token       a code, the client and the verifier -> an ID token
//	/decide      an access evaluation -> what [Provider.Decide] says
package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// ClientID is how the provider knows whoever asks. It is a public client.
const ClientID = "sso"

// Provider serves on a loopback address until it is closed.
type Provider struct {
	// Issuer is its issuer identifier, DecisionURL where its decision point is.
	Issuer, DecisionURL string

	server *http.Server
	served chan error // why it serves no more
	signer jose.Signer
	keys   jose.JSONWebKeySet

	mu     sync.Mutex
	logins map[string]pending // by code
	count  int
	decide http.HandlerFunc

	asked atomic.Int64
}

// pending is a login whose code was not redeemed yet.
type pending struct{ viewer, nonce, challenge string }

// Start starts a provider that permits everything at once.
func Start() (*Provider, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Provider{Issuer: "http://" + l.Addr().String(), signer: signer, logins: map[string]pending{}, decide: Permit, served: make(chan error, 1)}
	p.DecisionURL = p.Issuer + "/decide"
	p.keys.Keys = []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Use: "sig", Algorithm: string(jose.ES256)}}
	p.server = &http.Server{Handler: p.routes(), ReadHeaderTimeout: time.Minute}
	go func() { p.served <- p.server.Serve(l) }()
	return p, nil
}

// Close ends everything that is under way.
func (p *Provider) Close() error {
	err := p.server.Close()
	if why := <-p.served; !errors.Is(why, http.ErrServerClosed) {
		err = errors.Join(err, why)
	}
	return err
}

// Decide says how the decision point answers from now on. The handler should be
// done when the context of its request is.
func (p *Provider) Decide(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide = h
}

// Asked is how many questions came to the decision point.
func (p *Provider) Asked() int64 { return p.asked.Load() }

// Permit decides that the viewer may watch, for this time only.
func Permit(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	answer(w, map[string]any{"decision": true})
}

// Late permits after a time, or not at all when its caller is gone by then.
func Late(d time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		late := time.NewTimer(d)
		defer late.Stop()
		select {
		case <-late.C:
			Permit(w, r)
		case <-r.Context().Done():
		}
	}
}

func (p *Provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.keys) })
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("POST /decide", p.decision)
	return mux
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token",
		"jwks_uri": p.Issuer + "/keys", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none"},
	})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	to, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != ClientID || q.Get("code_challenge") == "" {
		http.Error(w, "no authorization request", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.count++
	p.logins[code] = pending{fmt.Sprint("viewer-", p.count), q.Get("nonce"), q.Get("code_challenge")}
	p.mu.Unlock()
	to.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	code := r.PostFormValue("code")
	p.mu.Lock()
	login, ok := p.logins[code]
	delete(p.logins, code)
	p.mu.Unlock()
	if !ok || oauth2.S256ChallengeFromVerifier(r.PostFormValue("code_verifier")) != login.challenge {
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]string{"error": "invalid_grant"})
		return
	}
	signed, err := p.sign(login)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "id_token": signed})
}

func (p *Provider) sign(login pending) (string, error) {
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": p.Issuer, "sub": login.viewer, "aud": ClientID, "nonce": login.nonce,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed, err := p.signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

func (p *Provider) decision(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	var question struct{ Subject, Resource struct{ ID string } }
	if json.NewDecoder(r.Body).Decode(&question) != nil || question.Subject.ID == "" || question.Resource.ID == "" {
		http.Error(w, "no access evaluation", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	decide := p.decide
	p.mu.Unlock()
	decide(w, r)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // whoever asked may be gone
}
