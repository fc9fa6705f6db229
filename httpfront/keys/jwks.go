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
// keys, ordered by kid; symmetric keys never. False when the realm is not
// configured. The bytes must not be changed.
func (r *Ring) JWKS(realm string) ([]byte, bool) {
	document, found := r.snapshot().jwks[realm]
	return document, found
}

// publicKeys makes the documents of all realms.
func publicKeys(s *snapshot) map[string][]byte {
	documents := make(map[string][]byte, len(s.cfg.Realms))
	for _, realm := range s.cfg.Realms {
		list := append(s.groups[groupID{Service, realm.ID}].public(), s.groups[groupID{Media, realm.ID}].public()...)
		slices.SortFunc(list, func(a, b jwk) int { return cmp.Compare(a.Kid, b.Kid) })
		document, err := json.Marshal(map[string][]jwk{"keys": list})
		if err != nil {
			panic(err) // strings only
		}
		documents[realm.ID] = document
	}
	return documents
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
