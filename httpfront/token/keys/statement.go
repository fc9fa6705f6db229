package keys

import (
	"fmt"
	"time"

	"ssod/httpfront/token/jose"
)

// SignStatement signs the claims of a software statement.
func (r *Ring) SignStatement(claims []byte, now time.Time) (string, error) {
	k := r.snapshot().groups[groupID{use: Statement}].signing(now)
	if k == nil {
		return "", fmt.Errorf("software statement: %w", errNoKey)
	}
	return k.sign(k.header, claims)
}

// VerifyStatement returns the claims of a software statement that was signed
// here, else [ErrStatement].
func (r *Ring) VerifyStatement(token []byte, now time.Time) ([]byte, error) {
	t, ok := jose.ParseSigned(token)
	if !ok || t.Type != typStatement {
		return nil, ErrStatement
	}
	k := r.snapshot().byID[t.KeyID]
	if k == nil || k.use != Statement || !k.verifies(now) || !k.public.Verify(&t) {
		return nil, ErrStatement
	}
	return t.Payload, nil
}
