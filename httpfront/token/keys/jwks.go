package keys

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// jwk is a public RSA key as RFC 7517 has it.
type jwk struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	N   string `json:"n"`
	E   string `json:"e"`
}

// JWKS is the document at /.well-known/{realm}/jwks.json: the realm's public
// keys, ordered by kid; symmetric keys never. Keys that the configuration asks for
// and that are missing are made first. When ctx ends before, the document is not
// complete, and none without any key: that is [ErrNotYet]. It fails with
// [ErrUnknownRealm] too. The bytes must not be changed.
func (r *Ring) JWKS(ctx context.Context, realm string) (document []byte, complete bool, err error) {
	s := r.snapshot()
	if _, found := s.cfg.Realm(realm); !found {
		return nil, false, ErrUnknownRealm
	}
	for _, want := range s.wants.of(realm) {
		if want.slow() && s.groups[want.groupID].newest() == nil {
			err = errors.Join(err, r.await(ctx, want.groupID))
		}
	}
	document = r.snapshot().document(realm)
	if err != nil && len(document) == len(noKeys) {
		return nil, false, err
	}
	return document, err == nil, nil
}

// noKeys is the document of a realm without any.
const noKeys = `{"keys":[]}`

// document is that of a realm, made when it is asked for first.
func (s *snapshot) document(realm string) []byte {
	if known, ok := s.jwks.Load(realm); ok {
		return known.([]byte)
	}
	made, _ := s.jwks.LoadOrStore(realm, s.publicKeys(realm))
	return made.([]byte)
}

// publicKeys makes the document of a realm.
func (s *snapshot) publicKeys(realm string) []byte {
	list := append(s.groups[groupID{Service, realm}].public(), s.groups[groupID{Media, realm}].public()...)
	slices.SortFunc(list, func(a, b jwk) int { return cmp.Compare(a.Kid, b.Kid) })
	document, err := json.Marshal(map[string][]jwk{"keys": list})
	if err != nil {
		panic(err) // strings only
	}
	return document
}

func (g *group) public() []jwk {
	list := []jwk{}
	if g == nil {
		return list
	}
	for _, s := range g.slots {
		if s.rsa != nil { // a revoked key has nothing left
			n, e := rsaParts(&s.rsa.PublicKey)
			list = append(list, jwk{Kty: "RSA", Use: "sig", Alg: s.algorithm, Kid: s.id, N: n, E: e})
		}
	}
	return list
}
