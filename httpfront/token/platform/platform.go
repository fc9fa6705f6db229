package platform

import (
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"ssod/httpfront/config"
	"ssod/httpfront/token/keyset"
)

// platform is a configured platform with its keys.
type platform struct {
	*config.Platform
	signing    []key
	unused     keyset.Unused
	published  *published // nil: all signing keys are in files
	decryption *key       // nil: no token is encrypted
}

// errNobody says that a configuration would believe everybody.
var errNobody = errors.New("anybody can encrypt to an RSA key; the platform also needs jwksFile or pemFile to know who signed")

// Check finds the mistakes in the key files of a platform, before it is used. The
// warning is about keys that are left out.
func Check(p config.Platform) (warning string, err error) {
	checked, err := newPlatform(&p)
	if err != nil {
		return "", err
	}
	return checked.unused.Warning(), nil
}

func newPlatform(c *config.Platform) (*platform, error) {
	signing, unused, err := readSigning(c.JWKSFile, c.PEMFile, c.KID)
	if err != nil {
		return nil, err
	}
	decryption, err := readDecryption(c.DecryptionKeyFile)
	if err != nil {
		return nil, err
	}
	p := &platform{Platform: c, decryption: decryption, unused: unused}
	for _, k := range signing {
		if slices.Contains(c.Algorithms, k.Algorithm) {
			p.signing = append(p.signing, k)
		}
	}
	switch {
	case len(signing) > 0 && len(p.signing) == 0:
		return nil, errors.New("no key is of an algorithm in algorithms")
	case c.JWKSURL != "" && !slices.ContainsFunc(c.Algorithms, func(alg string) bool { return alg != "HS256" }):
		return nil, errors.New("the keys of HS256 are secret, they cannot be published at jwksURL")
	case c.JWKSURL != "":
		return p, nil
	case len(signing) == 0 && decryption == nil:
		return nil, errors.New("no keys")
	case len(signing) == 0 && decryption.Algorithm != "dir":
		return nil, errNobody
	}
	return p, nil
}

// signs reports whether the platform vouches for its tokens by signatures.
func (p *platform) signs() bool { return len(p.signing) > 0 || p.published != nil }

// candidates are the keys that may have signed a JWS. A kid that is not known may
// have the keys at the platform's URL fetched again.
func (p *platform) candidates(t compact) []key {
	if p.published == nil {
		return choose(p.signing, t)
	}
	if !slices.Contains(p.Algorithms, t.alg) {
		return nil
	}
	found := choose(*p.published.keys.Load(), t)
	if len(found) == 0 && p.published.source.Again() {
		found = choose(*p.published.keys.Load(), t)
	}
	return found
}

func choose(keys []key, t compact) (found []key) {
	for _, k := range keys {
		if k.Algorithm == t.alg && (t.kid == "" || k.ID == "" || k.ID == t.kid) {
			found = append(found, k)
		}
	}
	return found
}

// verify checks the signature of a JWS and returns its payload.
func (p *platform) verify(t compact) ([]byte, error) {
	tried := false
	for _, k := range p.candidates(t) {
		tried = true
		object, err := jose.ParseSignedCompact(t.text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(k.Algorithm)})
		if err != nil {
			return nil, ErrToken
		}
		if payload, err := object.Verify(k.Material); err == nil {
			return payload, nil
		}
	}
	if tried {
		return nil, ErrSignature
	}
	return nil, ErrToken
}

// mayDecrypt reports whether the platform's key can be that of a JWE.
func (p *platform) mayDecrypt(t compact) bool {
	k := p.decryption
	return k != nil && k.Algorithm == t.alg && (t.kid == "" || k.ID == "" || k.ID == t.kid)
}

// decrypt opens a JWE.
func (p *platform) decrypt(t compact) ([]byte, error) {
	object, err := jose.ParseEncryptedCompact(t.text, []jose.KeyAlgorithm{jose.KeyAlgorithm(t.alg)}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return nil, ErrToken
	}
	content, err := object.Decrypt(p.decryption.Material)
	if err != nil {
		return nil, ErrSignature
	}
	return content, nil
}
