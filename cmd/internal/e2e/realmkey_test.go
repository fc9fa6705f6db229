package e2e

import (
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// tokenWith is token_a with other claims, signed as the realm would: some
// answers are only seen with tokens that the service never makes.
func (w *world) tokenWith(change func(claims jwt.MapClaims)) (string, error) {
	w.Helper()
	token, err := w.value("token_a")
	if err != nil {
		return "", err
	}
	claims := jwt.MapClaims{}
	if err := readClaims(token, &claims); err != nil {
		return "", err
	}
	change(claims)
	secret, err := w.secret()
	if err != nil {
		return "", err
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
}

// realmSecret is the key of a realm's service tokens, opened with what lies in
// the directory of a node that does not run.
func (n *node) realmSecret(realm string) ([]byte, error) {
	d, err := readDirectory(n.Data())
	if err != nil {
		return nil, err
	}
	for id, record := range d.keys {
		if record.Use == "service" && record.Realm == realm {
			secret, ok := open(d.sealing, id, record)
			if !ok {
				err = fmt.Errorf("key %s does not open", id)
			}
			return secret, err
		}
	}
	return nil, fmt.Errorf("the store has no service key of realm %s", realm)
}
