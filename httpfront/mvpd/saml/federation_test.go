package saml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/saml"
)

// otherID is another provider of the federation.
const otherID = "https://idp.other.example/metadata"

// member is an entity of a federation. All of them describe themselves as the provider does.
func member(name string) *etree.Element {
	e := parse(metadata(parties()["provider"]))
	if name != providerID {
		e.CreateAttr("ID", "_"+strings.NewReplacer(":", ".", "/", ".").Replace(name))
		e.CreateAttr("entityID", name)
	}
	return e
}

// service is a member that nobody logs in at.
func service(n int) *etree.Element {
	e := member(fmt.Sprintf("https://service-%d.example", n))
	within(e, "IDPSSODescriptor").Tag = "SPSSODescriptor"
	return e
}

// listOf is metadata of several entities, with attributes of its own: name="value".
func listOf(id, attributes string, members ...*etree.Element) *etree.Element {
	list := parse(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="` + id + `" ` + attributes + `/>`)
	for _, m := range members {
		list.AddChild(m)
	}
	return list
}

// federation has two providers, one of them in a list of its own.
func federation() *etree.Element {
	return listOf("_all", "", member(otherID), service(1), listOf("_inner", "", service(2), member(providerID)))
}

// TestMetadataOfAFederation: the provider is found in it, or the check says why not.
func TestMetadataOfAFederation(t *testing.T) {
	tests := map[string]struct{ text, id, cause string }{
		"by its name":              {write(federation()), providerID, ""},
		"the only provider":        {write(listOf("_all", "", service(1), member(providerID))), "", ""},
		"alone, by its name":       {metadata(parties()["provider"]), providerID, ""},
		"two":                      {write(federation()), "", `2 providers in the list, name yours with providerEntityId: "` + otherID + `", "` + providerID + `"`},
		"none":                     {write(listOf("_all", "", service(1))), "", "no provider (IDPSSODescriptor) in the list"},
		"nobody of the name":       {write(federation()), "https://idp.gone.example", "0 entities called as providerEntityId says"},
		"somebody else alone":      {metadata(parties()["provider"]), otherID, "0 entities called as providerEntityId says"},
		"two of the name":          {write(listOf("_all", "", member(providerID), listOf("_inner", "", named(providerID, "_again")))), providerID, "2 entities called as providerEntityId says"},
		"a service":                {write(federation()), "https://service-1.example", "0 elements IDPSSODescriptor"},
		"as large as federations":  {write(large()), providerID, ""},
		"in something else's list": {`<a xmlns="urn:a">` + write(federation()) + `</a>`, providerID, "neither an EntityDescriptor"},
	}
	for name, tt := range tests {
		checkFound(t, name, tt.cause, tt.text, func(m *config.MVPD) { m.ProviderEntityID = tt.id })
	}
}

// named is the provider with another id of its element.
func named(name, id string) *etree.Element {
	e := member(name)
	e.CreateAttr("ID", id)
	return e
}

// large is a federation with more than a message may have.
func large() *etree.Element {
	all := federation()
	for n := range 200 {
		all.AddChild(service(100 + n))
	}
	return all
}

// checkFound checks that metadata leads to the provider, or is refused for a cause.
func checkFound(t *testing.T, name, cause, text string, change func(*config.MVPD)) {
	t.Helper()
	f := connect(t, func(m *config.MVPD) {
		m.MetadataFile = file(t, t.TempDir(), "idp.xml", []byte(text))
		change(m)
	})
	step, err := f.Begin(t.Context(), f.login)
	if cause == "" {
		if err != nil || !strings.HasPrefix(step.URL, "https://idp.dish.example/sso?") {
			t.Errorf("%s: the browser goes to %q: %v", name, step.URL, err)
		}
		if _, _, err := f.post(write(f.answer())); err != nil {
			t.Errorf("%s: the provider's answer: %v", name, err)
		}
		return
	}
	if code(err) != mvpd.TemporarilyUnavailable || !strings.Contains(err.Error(), cause) {
		t.Errorf("%s: %v, want temporarily_unavailable for %q", name, err, cause)
	}
	if _, err := saml.Check(*f.config); err == nil || !strings.Contains(err.Error(), cause) {
		t.Errorf("%s: the check says %v, want %q", name, err, cause)
	}
}

// TestSignedMetadataOfAFederation: the outermost element must be signed, and nothing counts
// that is not in it.
func TestSignedMetadataOfAFederation(t *testing.T) {
	operator, mallory := parties()["provider encryption"], parties()["mallory"]
	signed := operator.signed(federation())
	evil := func() *etree.Element {
		return parse(strings.ReplaceAll(write(named(providerID, "_evil")), "https://idp.dish.example/sso", "https://mallory.example/sso"))
	}
	with := func(change func(list *etree.Element)) *etree.Element {
		list := signed.Copy()
		change(list)
		return list
	}
	inner := func(list *etree.Element) *etree.Element { return children(list, "EntitiesDescriptor")[0] }
	tests := map[string]struct {
		text  *etree.Element
		cause string
	}{
		"signed":                {signed, ""},
		"large":                 {operator.signed(large()), ""},
		"a member with its own": {operator.signed(listOf("_all", "", mallory.signed(member(otherID)), member(providerID))), ""},
		"unsigned":              {federation(), "0 elements Signature"},
		"signed by a member":    {mallory.signed(federation()), "none of the provider's keys"},
		"only the inner list":   {listOf("_all", "", operator.signed(listOf("_inner", "", member(providerID)))), "0 elements Signature"},
		"only the provider":     {listOf("_all", "", operator.signed(member(providerID))), "0 elements Signature"},
		"another member added":  {with(func(list *etree.Element) { list.AddChild(evil()) }), "what is signed was changed"},
		"in place of the real one": {with(func(list *etree.Element) {
			inner(list).RemoveChild(children(inner(list), "EntityDescriptor")[1])
			inner(list).AddChild(evil())
		}), "what is signed was changed"},
		"a list around it":              {listOf("_outer", "", evil(), signed.Copy()), "0 elements Signature"},
		"its signature moved outwards":  {with(func(list *etree.Element) { moved(list, evil()) }), "refers to something else"},
		"the real one in the signature": {hidden(signed, evil()), "it has something else in it"},
		"two signatures":                {with(func(list *etree.Element) { list.InsertChildAt(0, children(list, "Signature")[0].Copy()) }), "2 elements Signature"},
		"one that is a member's": {with(func(list *etree.Element) {
			children(list, "EntityDescriptor")[0].AddChild(children(list, "Signature")[0].Copy())
		}), "a signature where none belongs"},
		"SHA-1":                     {operator.signed(federation(), sha1Signing), "its algorithm is not accepted"},
		"of all that there is":      {operator.signed(federation(), func(s *signing) { s.uri = "" }), "refers to something else"},
		"an id that is there twice": {operator.signed(listOf("_all", "", member(otherID), named(providerID, "_all"))), "an id that is there twice"},
	}
	for name, tt := range tests {
		checkFound(t, name, tt.cause, write(tt.text), func(m *config.MVPD) {
			m.ProviderEntityID, m.MetadataCertFile = providerID, file(t, t.TempDir(), "federation.crt", operator.certPEM())
		})
	}
	doctype := `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>` + write(signed)
	checkFound(t, "an entity of a document type", "a document type", doctype, func(m *config.MVPD) { m.ProviderEntityID = providerID })
}

// children are the elements with a tag directly in another one.
func children(e *etree.Element, tag string) (found []*etree.Element) {
	for _, child := range e.ChildElements() {
		if child.Tag == tag {
			found = append(found, child)
		}
	}
	return found
}

// moved makes of a signed list one around it, which has its signature and another member.
func moved(list, evil *etree.Element) {
	was := list.Copy()
	signature := children(was, "Signature")[0]
	was.RemoveChild(signature)
	list.Child = nil
	list.CreateAttr("ID", "_outer")
	for _, e := range []*etree.Element{signature, evil, was} {
		list.AddChild(e)
	}
}

// hidden puts the signed list into its own signature, in a list with another member.
func hidden(signed, evil *etree.Element) *etree.Element {
	list := listOf("_outer", "", evil)
	signature := children(signed, "Signature")[0].Copy()
	object := parse(`<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`)
	object.AddChild(signed.Copy())
	signature.AddChild(object)
	list.InsertChildAt(0, signature)
	return list
}

// TestTheTimesOfAFederation count at every level: the first one ends the description, and the
// shortest one says when to fetch again.
func TestTheTimesOfAFederation(t *testing.T) {
	levels := []string{"EntitiesDescriptor", "EntitiesDescriptor/EntitiesDescriptor", "EntityDescriptor", "IDPSSODescriptor"}
	for i, level := range levels {
		limit := func(name, at, elsewhere string) string {
			list := listOf("_all", "", service(1), listOf("_inner", "", member(providerID)))
			for j, e := range []*etree.Element{list, children(list, "EntitiesDescriptor")[0], find(t, list, "EntityDescriptor[@ID='_meta']"), find(t, list, "IDPSSODescriptor")} {
				e.CreateAttr(name, map[bool]string{true: at, false: elsewhere}[i == j])
			}
			return write(list)
		}
		p := publish(t, limit("validUntil", stamp(now.Add(time.Hour)), stamp(now.Add(9*time.Hour))))
		f := connect(t, atURL(p))
		if _, err := f.Begin(t.Context(), f.login); err != nil {
			t.Errorf("%s: before the end: %v", level, err)
		}
		f.ahead = time.Hour
		if _, err := f.Begin(t.Context(), f.login); code(err) != mvpd.TemporarilyUnavailable {
			t.Errorf("%s: at the end: %v, want temporarily_unavailable", level, err)
		}
		p = publish(t, limit("cacheDuration", "PT3H", "PT9H"))
		f = connect(t, atURL(p))
		for _, step := range []struct {
			ahead time.Duration
			asked int64
		}{{0, 1}, {3*time.Hour - time.Second, 1}, {3 * time.Hour, 2}} {
			f.ahead = step.ahead
			if _, err := f.Begin(t.Context(), f.login); err != nil || p.asked.Load() != step.asked {
				t.Errorf("%s: asked %d times after %v, want %d: %v", level, p.asked.Load(), step.ahead, step.asked, err)
			}
		}
	}
}
