package saml

import (
	"errors"
	"fmt"

	"github.com/beevik/etree"

	"ssod/httpfront/mvpd"
)

// judgeAssertion reads an assertion that was signed: about whom, for whom, until when, and
// to which request it belongs.
func (o *ours) judgeAssertion(a *etree.Element, inResponseTo string) (*verdict, error) {
	if err := identified(a); err != nil {
		return nil, err
	}
	if err := o.checkIssuer(a, true); err != nil {
		return nil, err
	}
	issued, err := o.issued(a)
	if err != nil {
		return nil, err
	}
	subject, err := one(a, assertionNS, "Subject")
	if err != nil {
		return nil, err
	}
	if err := o.checkConfirmation(subject, inResponseTo); err != nil {
		return nil, err
	}
	if err := o.checkConditions(a); err != nil {
		return nil, err
	}
	name, err := o.nameOf(subject)
	if err != nil {
		return nil, err
	}
	v := &verdict{
		InResponseTo: inResponseTo, Issued: issued,
		// After that its IssueInstant alone ends it.
		Once: []mvpd.Once{{ID: "assertion " + attribute(a, "ID"), Until: issued.Add(maxAge + 2*skew)}},
	}
	if err := o.readStatements(v, a, name); err != nil {
		return nil, err
	}
	return v, nil
}

// checkConfirmation looks for a confirmation that whoever brought the assertion is the
// subject: the browser, now, here, for this request; SAML Profiles 2.0, 4.1.4.2.
func (o *ours) checkConfirmation(subject *etree.Element, inResponseTo string) error {
	err := errors.New("no SubjectConfirmation of a bearer")
	for _, c := range children(subject, assertionNS, "SubjectConfirmation") {
		if attribute(c, "Method") != bearer {
			continue
		}
		if err = o.checkBearer(c, inResponseTo); err == nil {
			return nil
		}
	}
	return err
}

func (o *ours) checkBearer(c *etree.Element, inResponseTo string) error {
	data, err := one(c, assertionNS, "SubjectConfirmationData")
	if err != nil {
		return err
	}
	until, err := instant(data, "NotOnOrAfter")
	switch {
	case err != nil:
		return err
	case attribute(data, "Recipient") != o.consumerURL():
		return errors.New("for another Recipient")
	case until.IsZero() || !o.now().Before(until.Add(skew)):
		return errors.New("its confirmation has expired, or never would")
	case attribute(data, "NotBefore") != "":
		return errors.New("its confirmation has NotBefore, which it must not have")
	case attribute(data, "InResponseTo") != inResponseTo:
		return errors.New("it belongs to another request")
	}
	return nil
}

// checkConditions checks the conditions of an assertion; SAML Core 2.0, 2.5.1. What is not
// understood is not fulfilled.
func (o *ours) checkConditions(a *etree.Element) error {
	conditions, err := one(a, assertionNS, "Conditions")
	if err != nil {
		return err
	}
	from, err := instant(conditions, "NotBefore")
	if err != nil {
		return err
	}
	until, err := instant(conditions, "NotOnOrAfter")
	now := o.now()
	switch {
	case err != nil:
		return err
	case !from.IsZero() && now.Before(from.Add(-skew)):
		return errors.New("it is not valid yet")
	case !until.IsZero() && !now.Before(until.Add(skew)):
		return errors.New("it has expired")
	}
	restricted := false
	for _, c := range conditions.ChildElements() {
		switch {
		case is(c, assertionNS, "AudienceRestriction"):
			restricted = true
			if err := o.checkAudience(c); err != nil {
				return err
			}
		case is(c, assertionNS, "OneTimeUse"), is(c, assertionNS, "ProxyRestriction"):
		default:
			return fmt.Errorf("a condition that is not known: %s", c.Tag)
		}
	}
	if !restricted {
		return errors.New("no AudienceRestriction")
	}
	return nil
}

func (o *ours) checkAudience(restriction *etree.Element) error {
	for _, e := range children(restriction, assertionNS, "Audience") {
		if audience, err := token(e); err != nil || audience == o.entityID() {
			return err
		}
	}
	return errors.New("for another Audience")
}

// readStatements takes over what an assertion says of the viewer.
func (o *ours) readStatements(v *verdict, a *etree.Element, n name) error {
	sessions := children(a, assertionNS, "AuthnStatement")
	if len(sessions) == 0 {
		return errors.New("no AuthnStatement: nobody logged in")
	}
	index := ""
	for _, s := range sessions {
		until, err := instant(s, "SessionNotOnOrAfter")
		switch {
		case err != nil:
			return err
		case !until.IsZero() && !o.now().Before(until.Add(skew)):
			return errors.New("its session has ended")
		case !until.IsZero() && (v.NotAfter.IsZero() || until.Before(v.NotAfter)):
			v.NotAfter = until
		}
		if index == "" {
			index = attribute(s, "SessionIndex")
		}
	}
	if len(index) > maxSessionIndex {
		return errors.New("a SessionIndex that is too long")
	}
	var err error
	if v.Subject, v.Attributes, err = o.mapped(attributesOf(a), n); err != nil {
		return err
	}
	if v.Subject != n.Value {
		v.Name = n.Value
	}
	if index != "" {
		v.Session = n.session(index)
	}
	v.Handle = o.handle(n, index)
	return nil
}

// attributes are those of an assertion, by their names and by their friendly names.
type attributes struct{ named, friendly map[string][]*etree.Element }

func attributesOf(a *etree.Element) attributes {
	all := attributes{map[string][]*etree.Element{}, map[string][]*etree.Element{}}
	for _, statement := range children(a, assertionNS, "AttributeStatement") {
		for _, e := range children(statement, assertionNS, "Attribute") {
			name, friendly := attribute(e, "Name"), attribute(e, "FriendlyName")
			all.named[name] = append(all.named[name], e)
			all.friendly[friendly] = append(all.friendly[friendly], e)
		}
	}
	return all
}

// values are those of the attribute with a name, or with that friendly name if there is
// none.
func (a attributes) values(name string) (values []string, err error) {
	found := a.named[name]
	if len(found) == 0 {
		found = a.friendly[name]
	}
	for _, e := range found {
		for _, value := range children(e, assertionNS, "AttributeValue") {
			t, err := valueOf(value)
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", name, err)
			}
			values = append(values, t)
		}
	}
	return values, nil
}

// valueOf is the text of an attribute's value, or of the one NameID in it, as attributes
// like eduPersonTargetedID have it.
func valueOf(e *etree.Element) (string, error) {
	id, err := atMostOne(e, assertionNS, "NameID")
	if err == nil && id != nil {
		return text(id)
	}
	return text(e)
}

// maxSessionIndex bounds a provider's name of a session in bytes.
const maxSessionIndex = 512
