package entitlement

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"

	"ssod/actors"
	"ssod/actors/grant"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/token/keys/sealing"
)

// tokensLevel is the format level of the cluster from which on tokens of logins are kept.
const tokensLevel = 2

// canKeep fails if a provider has tokens kept and the cluster cannot yet: a viewer must
// not log in first to hear of that.
func (s *Service) canKeep(p *mvpd.Provider) error {
	refresher, ok := p.Connector.(mvpd.Refresher)
	if !ok || !refresher.KeepsTokens() || s.Level() >= tokensLevel {
		return nil
	}
	return &mvpd.LoginError{
		Code:  mvpd.TemporarilyUnavailable,
		Cause: &actors.LevelError{Kind: grant.KindName, Has: s.Level(), Need: tokensLevel},
	}
}

// keepTokens seals the tokens of a new login for its grant; nil when there are none.
func (s *Service) keepTokens(r *api.Request, m *config.MVPD, made *login.Login, tokens []byte) *login.Tokens {
	if len(tokens) == 0 {
		return nil
	}
	made.Granted = true
	id := grant.ID{Realm: r.Realm.ID, MVPD: m.ID, Login: made.GetId()}
	return &login.Tokens{
		Grant: intent.At(id.Address()), Sealed: s.seal(id, tokens), DueMs: r.Received.Add(m.AuthzTTL).UnixMilli(),
	}
}

// errSealed: sealed tokens do not open. The realm's key was revoked since.
var errSealed = errors.New("the tokens of the login do not open")

// sealedVersion is the first byte of sealed tokens: a random nonce and AES-256-GCM's
// ciphertext follow.
const sealedVersion = 1

// seal encrypts tokens so that they open for their login only. Entities, logs and backups
// have no key for them: it follows from the realm's.
func (s *Service) seal(id grant.ID, tokens []byte) []byte {
	aead := s.tokenKey(id.Realm)
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails
	return aead.Seal(append([]byte{sealedVersion}, nonce...), nonce, tokens, tokenLabel(id))
}

func (s *Service) unseal(id grant.ID, sealed []byte) ([]byte, error) {
	aead := s.tokenKey(id.Realm)
	n := 1 + aead.NonceSize()
	if len(sealed) < n || sealed[0] != sealedVersion {
		return nil, errSealed
	}
	tokens, err := aead.Open(nil, sealed[1:n], sealed[n:], tokenLabel(id))
	if err != nil {
		return nil, errSealed
	}
	return tokens, nil
}

func (s *Service) tokenKey(realm string) cipher.AEAD {
	mac := hmac.New(sha256.New, s.Tokens.LinkCodeKey(realm))
	mac.Write([]byte("tokens of logins"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return aead
}

func tokenLabel(id grant.ID) []byte {
	label := sealing.AppendText([]byte("tokens of a login, version 1"), id.Realm)
	return sealing.AppendText(sealing.AppendText(label, id.MVPD), string(id.Login))
}

// retryTokens is when tokens that were not used are tried again.
const retryTokens = time.Minute
