package oidc

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"ssod/cluster/secretfile"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// advertised is what a test reads of a discovery document.
type advertised struct {
	document
	Issuer      string   `json:"issuer"`
	Scopes      []string `json:"scopes_supported"`
	Claims      []string `json:"claims_supported"`
	BackChannel bool     `json:"backchannel_logout_supported"`
}

// probeTimeout bounds each question of a test: all of them must be over before whoever
// waits for the report gives up.
const probeTimeout = 3 * time.Second

// test is one test of a provider.
type test struct {
	*Connector
	*mvpd.Report
	ctx    context.Context
	client *http.Client
	said   advertised
}

// Test implements [mvpd.Tester]. Nothing comes from what is remembered.
func (c *Connector) Test(ctx context.Context, r *mvpd.Report, l mvpd.Login) {
	fresh := *c.client
	fresh.Timeout = probeTimeout
	t := &test{Connector: c, Report: r, ctx: ctx, client: &fresh}
	if !t.discover() {
		return
	}
	t.endpoints()
	t.keys()
	t.claimed()
	t.logouts()
	p := &provider{document: t.said.document}
	p.style = p.authStyle(c.config.ClientSecretFile != "")
	t.login(ctx, p, l)
	t.knowsClient(ctx, p, l)
}

// visit asks the provider with a GET.
func (t *test) visit(check, at string) (mvpd.Visited, bool) {
	q, err := http.NewRequestWithContext(t.ctx, http.MethodGet, at, nil)
	if err != nil {
		t.Fail(check, "check the address", "%q is no URL", at)
		return mvpd.Visited{}, false
	}
	return t.Visit(t.client, q, check)
}

// discover reads the discovery document; OpenID Connect Discovery 1.0, 4.
func (t *test) discover() bool {
	at := strings.TrimSuffix(t.config.Issuer, "/") + "/.well-known/openid-configuration"
	v, ok := t.visit("discovery", at)
	switch {
	case !ok:
		return false
	case v.Status != http.StatusOK:
		t.Fail("discovery", "check issuer in the configuration: the document is below it", "%s %s", at, v.Answered())
		return false
	case json.Unmarshal(v.Body, &t.said) != nil:
		t.Fail("discovery", "check issuer in the configuration; in a browser the address shows what comes", "%s is no discovery document", at)
		return false
	}
	t.OK("discovery", "%s %s", at, v.Answered())
	if t.said.Issuer != t.config.Issuer {
		t.Fail("issuer", "write issuer as the provider does, to the last slash", "the document says %q, the configuration %q", t.said.Issuer, t.config.Issuer)
		return false
	}
	t.OK("issuer", "%s", t.said.Issuer)
	return true
}

// endpoints judges what the document names.
func (t *test) endpoints() {
	p := &provider{document: t.said.document}
	p.Algorithms = slices.Clone(p.Algorithms)
	if err := p.check(); err != nil {
		t.Fail("endpoints", "the provider must change its discovery document", "%v", err)
	} else {
		t.OK("endpoints", "authorization, token%s; ID tokens by %s", named(map[string]string{"userinfo": t.said.UserinfoURL, "end_session": t.said.LogoutURL}), strings.Join(p.Algorithms, ", "))
	}
	posts := len(t.said.ResponseModes) == 0 || slices.Contains(t.said.ResponseModes, config.ResponseFormPost)
	switch {
	case t.config.ResponseMode == config.ResponseFormPost && !posts:
		t.Fail("response mode", "set responseMode: query", "the provider does not have form_post")
	case t.config.ResponseMode == config.ResponseFormPost:
		t.OK("response mode", "form_post")
	default:
		t.OK("response mode", "query")
	}
}

// named lists the names of what is there.
func named(all map[string]string) (text string) {
	for _, name := range []string{"userinfo", "end_session"} {
		if all[name] != "" {
			text += ", " + name
		}
	}
	return text
}

// weakRSA is below what RFC 7518, 3.3 demands, in bits.
const weakRSA = 2048

// keys judges the key set.
func (t *test) keys() {
	v, ok := t.visit("keys", t.said.KeysURL)
	var set jose.JSONWebKeySet
	switch {
	case !ok:
		return
	case v.Status != http.StatusOK:
		t.Fail("keys", "the provider must serve its keys at jwks_uri", "%s %s", t.said.KeysURL, v.Answered())
		return
	case json.Unmarshal(v.Body, &set) != nil:
		t.Fail("keys", "the provider must serve a JWK set at jwks_uri", "%s is no JWK set", t.said.KeysURL)
		return
	}
	var names, trouble []string
	for _, k := range set.Keys {
		if k.Use == "enc" || !k.Valid() || !k.IsPublic() {
			continue
		}
		names = append(names, fmt.Sprintf("%s (%s)", k.KeyID, algorithmOf(&k)))
		if rsa, ok := k.Key.(*rsa.PublicKey); ok && rsa.N.BitLen() < weakRSA {
			trouble = append(trouble, fmt.Sprintf("%s has only %d bits", k.KeyID, rsa.N.BitLen()))
		}
		if len(set.Key(k.KeyID)) > 1 {
			trouble = append(trouble, fmt.Sprintf("%q names several", k.KeyID))
		}
		t.dated(&k)
	}
	switch {
	case len(names) == 0:
		t.Fail("keys", "the provider must publish the key that signs", "there is no key in %s that can verify a signature", t.said.KeysURL)
	case len(trouble) > 0:
		t.Warn("keys", "tell the provider", "%s: %s", strings.Join(names, ", "), strings.Join(slices.Compact(trouble), ", "))
	default:
		t.OK("keys", "%s", strings.Join(names, ", "))
	}
}

// algorithmOf is what a key is for, or its type.
func algorithmOf(k *jose.JSONWebKey) string {
	if k.Algorithm != "" {
		return k.Algorithm
	}
	return strings.TrimPrefix(strings.TrimSuffix(fmt.Sprintf("%T", k.Key), ".PublicKey"), "*")
}

// dated judges the certificate of a key that has one.
func (t *test) dated(k *jose.JSONWebKey) {
	if len(k.Certificates) > 0 {
		t.Certificate("keys", "key "+k.KeyID, k.Certificates[0].NotBefore, k.Certificates[0].NotAfter, mvpd.Warn)
	}
}

// claimed compares what is asked for with what the provider says that it has.
func (t *test) claimed() {
	if missing := absent(t.config.Scopes, t.said.Scopes); len(missing) > 0 {
		t.Warn("scopes", "check scopes in the configuration", "the provider does not name %s among its scopes", strings.Join(missing, ", "))
	} else if len(t.config.Scopes) > 0 {
		t.OK("scopes", "%s", strings.Join(t.config.Scopes, ", "))
	}
	var wanted []string
	for _, name := range t.Connector.claims {
		head, _, _ := strings.Cut(name, ".")
		wanted = append(wanted, head)
	}
	slices.Sort(wanted)
	if missing := absent(slices.Compact(wanted), t.said.Claims); len(missing) > 0 {
		t.Warn("claims", "check attributes in the configuration: profiles may lack them", "the provider does not name %s among its claims", strings.Join(missing, ", "))
	} else if len(wanted) > 0 {
		t.OK("claims", "%s", strings.Join(slices.Compact(wanted), ", "))
	}
}

// absent are those of the names that a list lacks; none if the provider has no list.
func absent(names, list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(list, name) })
}

// logouts says which logouts there are.
func (t *test) logouts() {
	switch {
	case t.said.LogoutURL == "" && !t.said.BackChannel:
		t.Warn("logout", "nothing can be done here; a browser stays logged in at the provider", "the provider has neither a logout page nor back-channel logout")
	case t.said.LogoutURL == "":
		t.Warn("logout", "nothing can be done here; a browser stays logged in at the provider", "the provider has no logout page, but back-channel logout")
	case !t.said.BackChannel:
		t.Warn("logout", "nothing can be done here; logins last until they expire", "the provider has a logout page, but no back-channel logout: what ends there does not end here")
	default:
		t.OK("logout", "a logout page, and back-channel logout: have the provider call this service's")
	}
}

// login opens the page where a viewer would log in, as a browser does.
func (t *test) login(ctx context.Context, p *provider, l mvpd.Login) {
	step := t.begin(p, l)
	v, ok := t.visit("login page", step.URL)
	if !ok {
		return
	}
	to, _ := url.Parse(v.Header.Get("Location"))
	register := "register the redirect URI " + l.Callback + " for the client " + t.config.ClientID + " at the provider"
	switch {
	case to != nil && strings.HasPrefix(v.Header.Get("Location"), l.Callback) && to.Query().Get("error") != "":
		t.Fail("login page", register+", and check scopes", "the provider answers %s: %s", to.Query().Get("error"), to.Query().Get("error_description"))
	case v.Status >= http.StatusInternalServerError:
		t.Fail("login page", "ask the provider", "the provider's login page %s", v.Answered())
	case v.Status >= http.StatusBadRequest:
		t.Fail("login page", register, "the provider's login page %s", v.Answered())
	default:
		t.OK("login page", "%s", v.Answered())
	}
	t.OK("login url", "%s", step.URL)
}

// knowsClient redeems a code that there is not: a provider that knows the client refuses
// the code, one that does not refuses the client.
func (t *test) knowsClient(ctx context.Context, p *provider, l mvpd.Login) {
	secret := ""
	if t.config.ClientSecretFile != "" {
		content, err := secretfile.Read(t.config.ClientSecretFile)
		if err != nil {
			t.Fail("client", "mend the file of clientSecretFile", "%v", err)
			return
		}
		secret = strings.TrimSpace(string(content))
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {"ssod-provider-test"}, "redirect_uri": {l.Callback}, "code_verifier": {l.Verifier}}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, p.TokenURL, nil)
	if err != nil {
		t.Fail("client", "the provider must change its discovery document", "token_endpoint is no URL")
		return
	}
	if p.style == oauth2.AuthStyleInHeader {
		q.SetBasicAuth(url.QueryEscape(t.config.ClientID), url.QueryEscape(secret)) // RFC 6749, 2.3.1
	} else {
		form.Set("client_id", t.config.ClientID)
		if secret != "" {
			form.Set("client_secret", secret)
		}
	}
	body := form.Encode()
	q.Body, q.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	v, ok := t.Visit(t.client, q, "client")
	if !ok {
		return
	}
	var said struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(v.Body, &said) // an answer without a code is judged by its status
	switch code := errorCode(said.Error); {
	case code == "invalid_grant":
		t.OK("client", "the provider knows the client and its secret; it refused a code that there is not")
	case code == "invalid_client", v.Status == http.StatusUnauthorized:
		t.Fail("client", "check clientId and clientSecretFile", "the provider does not accept the client: %d %s", v.Status, code)
	case code == "unauthorized_client":
		t.Fail("client", "have the provider allow the client the code flow", "the client may not redeem codes")
	default:
		t.Warn("client", "ask the provider whether clientId and its secret are good", "the token endpoint answered %d %s to a code that there is not", v.Status, code)
	}
}

// Health implements [mvpd.Watched].
func (c *Connector) Health() []*mvpd.Health { return mvpd.HealthOf(c.client, c.Decider) }
