package platform

import (
	"errors"
	"slices"

	"ssod/httpfront/config"
	"ssod/httpfront/token/jose"
	"ssod/httpfront/token/keyset"
	"ssod/httpfront/token/keyurl"
)

// platform is a configured platform with its keys.
type platform struct {
	*config.Platform
	signing    *keyurl.Keys // nil: it signs nothing
	unused     keyset.Unused
	decryption *jose.Key // nil: no token is encrypted
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

// signatures are the algorithms of keys that a platform may sign with.
var signatures = []string{jose.RS256, jose.ES256, jose.HS256}

// newPlatform reads a platform's files. It has no signing keys yet where they are at a
// URL.
func newPlatform(c *config.Platform) (*platform, error) {
	set, err := keyset.Read(c.JWKSFile, c.PEMFile, c.KID, keyset.Wanted{Algorithms: signatures})
	if err != nil {
		return nil, err
	}
	decryption, err := readDecryption(c.DecryptionKeyFile)
	if err != nil {
		return nil, err
	}
	p := &platform{Platform: c, decryption: decryption, unused: set.Unused}
	signing := slices.DeleteFunc(slices.Clone(set.Keys), func(k jose.Key) bool { return !slices.Contains(c.Algorithms, k.Algorithm) })
	if len(signing) > 0 {
		p.signing = keyurl.Fixed(signing)
	}
	switch {
	case len(set.Keys) > 0 && len(signing) == 0:
		return nil, errors.New("no key is of an algorithm in algorithms")
	case c.JWKSURL != "" && !slices.ContainsFunc(c.Algorithms, func(alg string) bool { return alg != jose.HS256 }):
		return nil, errors.New("the keys of HS256 are secret, they cannot be published at jwksURL")
	case c.JWKSURL != "":
		return p, nil
	case len(signing) == 0 && decryption == nil:
		return nil, errors.New("no keys")
	case len(signing) == 0 && decryption.Algorithm != jose.Dir:
		return nil, errNobody
	}
	return p, nil
}

// fits reports whether a key may be that of a token.
func fits(k *jose.Key, t *jose.Token) bool {
	return t.Says(k.Algorithm) && (t.KeyID == "" || k.ID == "" || k.ID == t.KeyID)
}

// verify checks the signature of a JWS. A kid that is not known may have the keys at
// the platform's URL fetched again.
func (p *platform) verify(t *jose.Token) error {
	if p.signing == nil || !slices.ContainsFunc(p.Algorithms, t.Says) {
		return ErrToken
	}
	err := ErrToken
	for _, k := range p.signing.Find(func(k *jose.Key) bool { return fits(k, t) }) {
		if k.Verify(t) {
			return nil
		}
		err = ErrSignature
	}
	return err
}
