package keys

import (
	"cmp"
	"encoding/json"
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
// keys, ordered by kid; symmetric keys never. It is not complete while a key that
// the configuration asks for is missing; that one is made next. Not found is a
// realm that is not configured. The bytes must not be changed.
func (r *Ring) JWKS(realm string) (document []byte, complete, found bool) {
	s := r.snapshot()
	if _, found = s.cfg.Realm(realm); !found {
		return nil, false, false
	}
	complete = true
	for _, want := range s.wants.of(realm) {
		if want.algorithm == RS256 && s.groups[want.groupID].newest() == nil {
			complete = false
			r.hasten(want)
		}
	}
	if known, ok := s.jwks.Load(realm); ok {
		return known.([]byte), complete, true
	}
	made, _ := s.jwks.LoadOrStore(realm, s.publicKeys(realm))
	return made.([]byte), complete, true
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
