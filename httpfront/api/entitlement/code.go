package entitlement

import (
	"crypto/rand"
	"math/big"
	"net/url"
	"strings"

	"ssod/actors/session"
	"ssod/actors/typedcode"
	"ssod/httpfront/api"
)

// An authentication code: 7 of 31 characters, without those that viewers take
// for one another; httpfront/docs/entitlement.md#create-a-session. It is looked up by
// apps with an access token and throttled, and it lives half an hour.
const (
	codeLength   = 7
	codeAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
)

// drawCode draws a code.
func drawCode() string {
	var b strings.Builder
	for range codeLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeAlphabet))))
		if err != nil {
			panic(err) // never: crypto/rand does not fail
		}
		b.WriteByte(codeAlphabet[n.Int64()])
	}
	return b.String()
}

// sessionID is the session that the path names, by a code that may have been typed.
func sessionID(r *api.Request) (session.ID, error) {
	typed, err := url.PathUnescape(r.Item)
	code := typedcode.Canonical(typed)
	if err != nil || !validCode(code) {
		return session.ID{}, api.ErrCode
	}
	return session.ID{ServiceProvider: r.Parameter, Code: code}, nil
}

func validCode(code string) bool {
	return len(code) == codeLength && strings.Trim(code, codeAlphabet) == ""
}
