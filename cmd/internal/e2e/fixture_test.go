package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// appScheme is the redirect URI of the app that the cases register.
const appScheme = "streamapp://com.example.stream"

// fixtures are the variables that cases use without a step that sets them.
func fixtures() map[string]func(*world) (string, error) {
	return map[string]func(*world) (string, error){
		"access_token":                func(w *world) (string, error) { return w.stream.token, nil },
		"rival_access_token":          func(w *world) (string, error) { return w.rival().token, nil },
		"client_id":                   func(w *world) (string, error) { return w.stream.id, nil },
		"client_secret":               func(w *world) (string, error) { return w.stream.secret, nil },
		"expired_access_token":        (*world).expiredAccessToken,
		"software_statement":          (*world).softwareStatement,
		"revoked_statement":           (*world).revokedStatement,
		"ext_token":                   func(w *world) (string, error) { return externalToken(w, w.own("ext-viewer"), "Adobe"), nil },
		"ext_token_wrong_aud":         func(w *world) (string, error) { return externalToken(w, w.own("ext-viewer"), "somebody else"), nil },
		"subject_token":               func(w *world) (string, error) { return subjectToken(w, w.own("household")), nil },
		"token_alg_none":              (*world).unsignedToken,
		"token_a_signature_changed":   (*world).forgedToken,
		"token_signed_by_other_realm": (*world).alienToken,
		"signed_token_without_sub": func(w *world) (string, error) {
			return w.tokenWith(func(claims jwt.MapClaims) { delete(claims, "sub") })
		},
		"signed_token_with_empty_sub": func(w *world) (string, error) {
			return w.tokenWith(func(claims jwt.MapClaims) { claims["sub"] = "" })
		},
		"signed_token_with_numeric_sub": func(w *world) (string, error) {
			return w.tokenWith(func(claims jwt.MapClaims) { claims["sub"] = 5 })
		},
		"hs256_token_signed_with_rsa_public_key": func(w *world) (string, error) { return confusedToken(w), nil },
	}
}

// expiredAccessToken waits until the client's token is refused as expired: the
// case runs with a life of a second.
func (w *world) expiredAccessToken() (string, error) {
	bearer := map[string]string{"Authorization": "Bearer " + w.stream.token}
	until(w, "the access token expires", func() bool {
		a, err := w.do(w.Context(), call{method: "GET", target: w.stream.path("serviceToken"), headers: bearer})
		return err == nil && a.Status == 401
	})
	return w.stream.token, nil
}

func (w *world) softwareStatement() (string, error) {
	signed, _, err := w.newStatement(w.Context(), statementRequest{
		ClientName: "Example App", ServiceProviders: []string{"STREAM1", "STREAM2"}, RedirectURIs: []string{appScheme},
	})
	return signed, err
}

func (w *world) revokedStatement() (string, error) {
	signed, id, err := w.newStatement(w.Context(), statementRequest{ClientName: "Gone App", ServiceProviders: []string{"STREAM1"}})
	if err != nil {
		return "", err
	}
	return signed, w.remove(w.Context(), "/admin/v1/software-statements/"+id)
}

// unsignedToken is token_a with the algorithm none and no signature.
func (w *world) unsignedToken() (string, error) {
	token, err := w.value("token_a")
	if err != nil {
		return "", err
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	return header + "." + strings.Split(token, ".")[1] + ".", nil
}

// forgedToken is token_a with another signature of the right form.
func (w *world) forgedToken() (string, error) {
	token, err := w.value("token_a")
	if err != nil {
		return "", err
	}
	last := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[last+1:])
	if err != nil {
		return "", fmt.Errorf("signature of token_a: %w", err)
	}
	signature[0] ^= 1
	return token[:last+1] + base64.RawURLEncoding.EncodeToString(signature), nil
}

// alienToken is a good token of the other realm.
func (w *world) alienToken() (string, error) {
	d := newDevice("alien")
	err := w.rival().mint(w.Context(), d, w.own(theViewer))
	return d.token, err
}
