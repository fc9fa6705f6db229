package platform

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/slots"
	"ssod/httpfront/token/jose"
	"ssod/httpfront/token/keyurl"
)

// Namespace begins the namespace of the profiles of platforms;
// httpfront/docs/headers.md#platform-identity.
const namespace = "platform:"

// Identity is the viewer of a device, as its platform knows them.
type Identity struct {
	Platform string // its name in the configuration
	Issuer   string
	Subject  string

	expires time.Time
}

// Namespace is the namespace of the viewer's profile.
func (i Identity) Namespace() string { return namespace + i.Issuer }

// IssuerOf is the platform's issuer that a namespace is of; false for others.
func IssuerOf(name string) (issuer string, ok bool) { return strings.CutPrefix(name, namespace) }

const (
	maxWaiting  = 256 // callers that wait for an RSA decryption
	maxAttempts = 4   // platforms whose keys are tried on one JWE
)

// Verifier checks subject tokens. It is safe for concurrent use.
type Verifier struct {
	log     *slog.Logger
	slots   *slots.Slots
	current atomic.Pointer[table]
	version atomic.Uint64 // counts changes of published keys

	mu        sync.Mutex // held to replace current
	published map[at]*keyurl.Keys
}

// NewVerifier returns a verifier, which must be closed; log gets platforms that cannot be used, nil
// means slog.Default.
func NewVerifier(log *slog.Logger) *Verifier {
	if log == nil {
		log = slog.Default()
	}
	v := &Verifier{log: log, slots: slots.New(0, maxWaiting), published: map[at]*keyurl.Keys{}}
	v.current.Store(&table{})
	return v
}

// Identify returns the viewer that a token names to a realm; none when the token is
// unacceptable: then a request goes on as if it had none
// (httpfront/docs/headers.md#platform-identity). It fails when that could not be decided,
// with [slots.ErrBusy] or the error of ctx: a logout that took such a token for none would
// leave logins behind.
func (v *Verifier) Identify(ctx context.Context, cfg *config.Config, realm *config.Realm, token []byte, now time.Time) (viewer Identity, named bool, err error) {
	viewer, err = v.Verify(ctx, cfg, realm, token, now)
	switch {
	case err == nil:
		return viewer, true, nil
	case unacceptable(err):
		return Identity{}, false, nil
	default:
		return Identity{}, false, err
	}
}

// Verify checks a token for a realm of the configuration and returns who it
// names. It fails with one of the package's errors, or, under a rush of
// encrypted tokens, with [slots.ErrBusy] or the error of ctx.
func (v *Verifier) Verify(ctx context.Context, cfg *config.Config, realm *config.Realm, token []byte, now time.Time) (Identity, error) {
	platforms := v.table(cfg).realms[realm.ID]
	if platforms == nil || len(platforms.list) == 0 {
		return Identity{}, ErrToken
	}
	sum := sha256.Sum256(token)
	version := v.version.Load()
	if i, found := platforms.seen.get(sum, version); found {
		if !now.Before(i.expires) {
			return Identity{}, ErrExpired
		}
		return i, nil
	}
	i, err := v.verify(ctx, platforms.list, token, now)
	if err != nil {
		return Identity{}, fmt.Errorf("subject token: %w", err)
	}
	platforms.seen.put(sum, i, version, now)
	return i, nil
}

func (v *Verifier) verify(ctx context.Context, list []*platform, token []byte, now time.Time) (Identity, error) {
	t, ok := jose.Parse(token)
	if !ok {
		return Identity{}, ErrToken
	}
	if t.Encrypted {
		return v.open(ctx, list, &t, now)
	}
	c, _ := jose.ParseClaims(t.Payload)
	for _, p := range list {
		if c.Issuer.Is(p.Issuer) {
			return p.signed(&t, now)
		}
	}
	return Identity{}, ErrToken
}

// signed checks a JWS that says it is the platform's.
func (p *platform) signed(t *jose.Token, now time.Time) (Identity, error) {
	if !t.IsJWT() {
		return Identity{}, ErrToken
	}
	if err := p.verify(t); err != nil {
		return Identity{}, err
	}
	return p.judge(t.Payload, now)
}

// open tries a JWE with the keys that it may be encrypted to.
func (v *Verifier) open(ctx context.Context, list []*platform, t *jose.Token, now time.Time) (Identity, error) {
	if !t.IsJWT() {
		return Identity{}, ErrToken
	}
	attempts, err := 0, ErrToken
	for _, p := range list {
		if p.decryption == nil || !fits(p.decryption, t) {
			continue
		}
		if attempts++; attempts > maxAttempts {
			break
		}
		var content []byte
		if content, err = v.decrypt(ctx, p.decryption, t); err == nil {
			return p.inside(content, now)
		}
		if err != ErrSignature {
			return Identity{}, err
		}
	}
	return Identity{}, err
}

// decrypt opens a JWE, in a slot where that takes an RSA operation.
func (v *Verifier) decrypt(ctx context.Context, k *jose.Key, t *jose.Token) ([]byte, error) {
	if k.Algorithm != jose.Dir {
		if err := v.slots.Enter(ctx); err != nil {
			return nil, err
		}
		defer v.slots.Leave()
	}
	content, ok := k.Decrypt(t)
	if !ok {
		return nil, ErrSignature
	}
	return content, nil
}

// inside reads what a JWE held: a JWS of the same platform, or, where a shared
// secret is all that the platform has, its claims.
func (p *platform) inside(content []byte, now time.Time) (Identity, error) {
	if p.signing == nil {
		return p.judge(content, now)
	}
	t, ok := jose.ParseSigned(content)
	if !ok {
		return Identity{}, ErrToken
	}
	return p.signed(&t, now)
}
