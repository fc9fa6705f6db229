package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"ssod/httpfront/mvpd"
	"ssod/httpfront/strictjson"
	"ssod/httpfront/token/jose"
)

// claims are what a provider says of a viewer.
type claims map[string]json.RawMessage

func (c claims) text(name string) (text string, ok bool) {
	return text, json.Unmarshal(c[name], &text) == nil && c[name] != nil
}

// find returns the claim with a name, or, if there is none, the member that the
// name leads to by its dots. JSON null is no claim.
func (c claims) find(name string) json.RawMessage {
	if value, ok := c[name]; ok {
		return notNull(value)
	}
	head, rest, nested := strings.Cut(name, ".")
	var inner claims
	if !nested || json.Unmarshal(c[head], &inner) != nil {
		return nil
	}
	return inner.find(rest)
}

func notNull(value json.RawMessage) json.RawMessage {
	if string(value) == "null" {
		return nil
	}
	return value
}

// markSession notes what an end of the session at the provider will name
// ([Connector.LogoutToken]), and when the ID token was issued.
func (c claims) markSession(who *mvpd.Identity) {
	who.Session, _ = c.text("sid")
	if sub, _ := c.text("sub"); sub != who.Subject {
		who.LogoutSubject = sub
	}
	if issued, ok := c.date("iat"); ok {
		who.Issued = issued
	}
}

// date reads a NumericDate; RFC 7519, 2.
func (c claims) date(name string) (time.Time, bool) {
	v, err := strictjson.Parse(c[name])
	if err != nil {
		return time.Time{}, false
	}
	return jose.Date(v)
}

// userID is the attribute that is the viewer's id at the provider.
const userID = "userID"

// mapping names the claim of each attribute.
type mapping map[string]string

// subject is the claim of the viewer's id.
func (m mapping) subject() string {
	if name := m[userID]; name != "" {
		return name
	}
	return "sub"
}

// missing reports whether some claim is not among those.
func (m mapping) missing(c claims) bool {
	for _, name := range m {
		if c.find(name) == nil {
			return true
		}
	}
	return false
}

// identity is who the claims are of.
func (m mapping) identity(c claims) (mvpd.Identity, error) {
	id := mvpd.Identity{Subject: scalar(c.find(m.subject()))}
	if id.Subject == "" {
		return id, fmt.Errorf("no claim %s that is a string or a number", m.subject())
	}
	id.Attributes = m.attributes(c)
	return id, nil
}

// attributes are those that the claims have, in the order of their names.
func (m mapping) attributes(c claims) (attributes []mvpd.Attribute) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if value := c.find(m[name]); value != nil && name != userID {
			attributes = append(attributes, mvpd.Attribute{Name: name, Value: value})
		}
	}
	return attributes
}

// scalar is the text of a string or of a number; some providers number their
// households.
func scalar(value json.RawMessage) string {
	var text string
	var number json.Number
	switch {
	case json.Unmarshal(value, &text) == nil:
		return text
	case json.Unmarshal(value, &number) == nil:
		return number.String()
	}
	return ""
}

// addUserinfo adds the claims of the userinfo endpoint that the ID token does not
// have. They must be of the same viewer: OpenID Connect Core, 5.3.2.
func (c *Connector) addUserinfo(ctx context.Context, p *provider, token *oauth2.Token, all claims) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.UserinfoURL, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	token.SetAuthHeader(r)
	response, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d", response.StatusCode)
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "application/json" {
		return errors.New("the answer is no JSON")
	}
	var more claims
	if err := json.NewDecoder(response.Body).Decode(&more); err != nil {
		return errors.New("the answer is no JSON object")
	}
	if !bytes.Equal(more["sub"], all["sub"]) {
		return errors.New("the answer is about somebody else")
	}
	for name, value := range more {
		if _, ok := all[name]; !ok {
			all[name] = value
		}
	}
	return nil
}
