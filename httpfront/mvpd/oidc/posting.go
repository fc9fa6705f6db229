package oidc

import (
	"context"
	"net/url"

	"ssod/httpfront/mvpd"
)

// posting is a provider whose answers the browser posts: OAuth 2.0 Form Post Response
// Mode.
type posting struct{ *Connector }

// answers are the parameters of an answer that [Connector.Complete] reads, besides state;
// RFC 6749, 4.1.2 and 4.1.2.1; RFC 9207, 2.
var answers = []string{"code", "error", "iss"}

// Receive implements [mvpd.Receiver]. What proves an answer is the code, which is worth
// something to the browser with the verifier only, so there is little to judge before.
func (c posting) Receive(_ context.Context, form url.Values) (mvpd.Answer, error) {
	for _, values := range form {
		if len(values) > 1 {
			return mvpd.Answer{}, invalid("the answer has a parameter twice") // RFC 6749, 3.1
		}
	}
	if issuer := form.Get("iss"); issuer != "" && issuer != c.config.Issuer {
		return mvpd.Answer{}, invalid(otherIssuer)
	}
	a := mvpd.Answer{State: form.Get("state"), Values: url.Values{}}
	for _, name := range answers {
		if value, ok := form[name]; ok {
			a.Values[name] = value
		}
	}
	switch {
	case a.State == "":
		return mvpd.Answer{}, invalid("the answer has no state")
	case a.Values.Get("code") == "" && a.Values.Get("error") == "":
		return mvpd.Answer{}, invalid("the answer has neither a code nor an error")
	case len(a.Values.Encode()) > mvpd.MaxAnswer:
		return mvpd.Answer{}, invalid("the answer is too long")
	}
	return a, nil
}
