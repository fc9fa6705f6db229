package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// op is an OpenID provider that can be told to misbehave.
type op struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	document map[string]any          // the discovery document
	down     bool                    // every endpoint answers 503
	answers  map[string]http.Handler // in place of an endpoint's own
	key      *ecdsa.PrivateKey
	kid      string
	claims   map[string]any // of the ID token, over the usual ones; nil drops one
	userinfo map[string]any
	sign     func(claims []byte) string // in place of the provider's own
	asked    url.Values                 // of the last authorization
	slow     string                     // the path that takes slowness
	expire   func()                     // its certificate; nil without TLS
	refresh  int                        // number of the refresh token that is good; 0: none is given
	calls    map[string]int             // by path
}

const clientSecret = "the secret of this client"

func startOP(t *testing.T) *op {
	o := newOP(t)
	o.Server = httptest.NewServer(o)
	o.settle()
	return o
}

func newOP(t *testing.T) *op {
	o := &op{t: t, answers: map[string]http.Handler{}, claims: map[string]any{}, calls: map[string]int{}}
	o.rotate("first")
	return o
}

// settle publishes where the server is.
func (o *op) settle() {
	o.t.Cleanup(o.Close)
	o.document = map[string]any{
		"issuer":                                o.URL,
		"authorization_endpoint":                o.URL + "/authorize",
		"token_endpoint":                        o.URL + "/token",
		"userinfo_endpoint":                     o.URL + "/userinfo",
		"end_session_endpoint":                  o.URL + "/logout",
		"jwks_uri":                              o.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
	}
}

// change makes a change that requests see.
func (o *op) change(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *op) rotate(kid string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		o.t.Fatal(err)
	}
	o.key, o.kid = key, kid
}

// publicKey is what everybody knows.
func (o *op) publicKey() []byte {
	der, err := x509.MarshalPKIXPublicKey(o.key.Public())
	if err != nil {
		o.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func (o *op) called(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[path]
}

// slowness is how long a slow endpoint takes: in a long run, and for what gives up before,
// 5 s.
func slowness(path string) time.Duration {
	if path == discoveryPath || os.Getenv("SSOD_LONG") != "" {
		return 5 * time.Second
	}
	return time.Second / 4
}

func (o *op) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	if o.slow == r.URL.Path {
		o.mu.Unlock()
		<-time.After(slowness(r.URL.Path))
		o.mu.Lock()
	}
	defer o.mu.Unlock()
	o.calls[r.URL.Path]++
	if h := o.answers[r.URL.Path]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	switch {
	case o.down:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case r.URL.Path == "/.well-known/openid-configuration":
		write(w, o.document)
	case r.URL.Path == "/keys":
		write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: o.key.Public(), KeyID: o.kid, Algorithm: "ES256", Use: "sig"}}})
	case r.URL.Path == "/token":
		o.token(w, r)
	case r.URL.Path == "/userinfo" && r.Header.Get("Authorization") == "Bearer an access token":
		write(w, o.userinfo)
	default:
		http.NotFound(w, r)
	}
}

func write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	write(w, map[string]string{"error": code})
}

// authorize is the browser at the authorization endpoint, where a viewer logs in.
func (o *op) authorize(to string) url.Values {
	o.t.Helper()
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, o.URL+"/authorize?") {
		o.t.Fatalf("the browser is sent to %s: %v", to, err)
	}
	o.change(func() { o.asked = u.Query() })
	return url.Values{"code": {"a code"}, "state": {u.Query().Get("state")}}
}

// token exchanges a code as RFC 6749, 4.1.3 and RFC 7636, 4.6 have it.
func (o *op) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	} else if text, err := url.QueryUnescape(secret); err == nil {
		secret = text
	}
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case id != "ssod" || secret != clientSecret:
		refuse(w, http.StatusUnauthorized, "invalid_client")
	case r.FormValue("grant_type") == "refresh_token":
		o.rotateRefresh(w, r.FormValue("refresh_token"))
	case r.FormValue("code") != "a code" || r.FormValue("redirect_uri") != o.asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != o.asked.Get("code_challenge"):
		refuse(w, http.StatusBadRequest, "invalid_grant")
	default:
		answer := map[string]any{"access_token": "an access token", "token_type": "Bearer", "id_token": o.idToken()}
		if o.refresh > 0 {
			answer["refresh_token"] = o.refreshToken()
		}
		write(w, answer)
	}
}

func (o *op) refreshToken() string { return "refresh token " + strconv.Itoa(o.refresh) }

// rotateRefresh gives a new refresh token for the one that is good. A second use of an old
// one ends them all: RFC 9700, 4.14.2.
func (o *op) rotateRefresh(w http.ResponseWriter, old string) {
	if old != o.refreshToken() {
		o.refresh = -1
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	o.refresh++
	write(w, map[string]any{"access_token": "an access token", "token_type": "Bearer", "refresh_token": o.refreshToken()})
}

func (o *op) idToken() string {
	now := time.Now()
	claims := map[string]any{
		"iss": o.URL, "sub": "viewer-1", "aud": "ssod", "nonce": o.asked.Get("nonce"),
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}
	for name, value := range o.claims {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		o.t.Fatal(err)
	}
	if o.sign != nil {
		return o.sign(raw)
	}
	return signed(o.t, jose.ES256, o.key, o.kid, raw)
}

func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key any, kid string, claims []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	text, err := token.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// signedUnder signs claims with the provider's own key, under a header as it stands.
func (o *op) signedUnder(header string) func(claims []byte) string {
	return func(claims []byte) string {
		text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(claims)
		signature, err := jwt.SigningMethodES256.Sign(text, o.key)
		if err != nil {
			o.t.Fatal(err)
		}
		return text + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
}

// unsigned has alg none; RFC 7518, 3.6.
func unsigned(claims []byte) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
}

// leftHalf is at_hash for SHA-256: OpenID Connect Core, 3.1.3.6.
func leftHalf(token string) string {
	h := crypto.SHA256.New()
	h.Write([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}
