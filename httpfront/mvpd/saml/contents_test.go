package saml_test

import (
	"strings"
	"time"

	"github.com/beevik/etree"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// contents are answers that the provider signed, but not for this login.
var contents = []attack{
	{name: "for another audience", cause: "another Audience", make: says(func(s *said) { s.assertion.audience = "https://other.example" })},
	{name: "for another provider's integration here", cause: "another Audience", make: says(func(s *said) { s.assertion.audience = strings.Replace(entityID, "dish", "cable", 1) })},
	{name: "for no audience", cause: "no AudienceRestriction", make: changes(func(a *etree.Element) { c := within(a, "Conditions"); c.RemoveChild(c.ChildElements()[0]) })},
	{name: "for us and, a second time, for others only", cause: "another Audience", make: changes(func(a *etree.Element) {
		within(a, "Conditions").AddChild(parse(`<saml:AudienceRestriction xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>`))
	})},
	{name: "another recipient", cause: "another Recipient", make: says(func(s *said) { s.assertion.recipient = "https://other.example/acs" })},
	{name: "another destination", cause: "another place", make: says(func(s *said) { s.destination = strings.Replace(acs, "dish", "cable", 1) })},
	{name: "no destination", cause: "another place", make: func(f *fixture) string {
		answer := f.answer()
		answer.RemoveAttr("Destination")
		return write(answer)
	}},
	{name: "an answer of another issuer", cause: "another Issuer", make: says(func(s *said) { s.issuer = "https://other.example" })},
	{name: "an assertion of another issuer", cause: "another Issuer", make: says(func(s *said) { s.assertion.issuer = "https://other.example" })},
	{name: "an assertion of nobody", cause: "no Issuer", make: changes(func(a *etree.Element) { a.RemoveChild(within(a, "Issuer")) })},
	{name: "unsolicited", cause: "nobody asked for", make: func(f *fixture) string {
		answer := f.answer()
		answer.RemoveAttr("InResponseTo")
		return write(answer)
	}},
	{name: "an unsolicited assertion in an answer", cause: "another request", make: changes(func(a *etree.Element) { within(a, "SubjectConfirmationData").RemoveAttr("InResponseTo") })},
	{name: "an assertion for another request", cause: "another request", make: says(func(s *said) { s.assertion.inResponseTo = "_another" })},
	{name: "an answer for the login of another browser", cause: "another login", make: says(func(s *said) { s.inResponseTo, s.assertion.inResponseTo = "_another", "_another" })},
	{name: "a confirmation that has expired", cause: "confirmation has expired", twin: says(func(s *said) { s.assertion.confirmedUntil = now.Add(-time.Minute) }), make: says(func(s *said) { s.assertion.confirmedUntil = now.Add(-2 * time.Minute) })},
	{name: "a confirmation that never expires", cause: "or never would", make: changes(func(a *etree.Element) { within(a, "SubjectConfirmationData").RemoveAttr("NotOnOrAfter") })},
	{name: "a confirmation with a beginning", cause: "NotBefore", make: changes(func(a *etree.Element) {
		within(a, "SubjectConfirmationData").CreateAttr("NotBefore", stamp(now.Add(-time.Hour)))
	})},
	{name: "conditions that have expired", cause: "it has expired", twin: says(func(s *said) { s.assertion.until = now.Add(-time.Minute) }), make: says(func(s *said) { s.assertion.until = now.Add(-2 * time.Minute) })},
	{name: "conditions of the future", cause: "not valid yet", twin: says(func(s *said) { s.assertion.from = now.Add(2 * time.Minute) }), make: says(func(s *said) { s.assertion.from = now.Add(3 * time.Minute) })},
	{name: "an assertion of long ago", cause: "too old", twin: says(func(s *said) { s.assertion.issued = now.Add(-11 * time.Minute) }), make: says(func(s *said) { s.assertion.issued = now.Add(-13 * time.Minute) })},
	{name: "an assertion from the future", cause: "from the future", twin: says(func(s *said) { s.assertion.issued = now.Add(time.Minute) }), make: says(func(s *said) { s.assertion.issued = now.Add(3 * time.Minute) })},
	{name: "a time that is none", cause: "no time", make: changes(func(a *etree.Element) { within(a, "Conditions").CreateAttr("NotOnOrAfter", "tomorrow") })},
	{name: "a condition that nobody knows", cause: "not known", twin: changes(func(a *etree.Element) {
		within(a, "Conditions").AddChild(parse(`<saml:OneTimeUse xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`))
	}), make: changes(func(a *etree.Element) {
		within(a, "Conditions").AddChild(parse(`<saml:Condition xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`))
	})},
	{name: "a failure with an assertion", cause: "a failure with an assertion", make: says(func(s *said) { s.status = "Responder" })},
	{name: "no status", cause: "0 elements Status", make: func(f *fixture) string {
		answer := f.answer()
		answer.RemoveChild(answer.SelectElement("Status"))
		return write(answer)
	}},
	{name: "two assertions, both signed", cause: "more than one assertion", make: func(f *fixture) string {
		s := honest(f.requestID)
		other := s.assertion
		other.id, other.name = "_second", "victim"
		return write(s.response(f.provider.signed(other.element()), f.provider.signed(s.assertion.element())))
	}},
	{name: "no assertion", cause: "0 elements EncryptedAssertion", make: func(f *fixture) string { return write(f.provider.signed(honest(f.requestID).response())) }},
	{name: "two names", cause: "exactly one NameID", make: changes(func(a *etree.Element) { s := within(a, "Subject"); s.InsertChildAt(0, s.ChildElements()[0].Copy()) })},
	{name: "two subjects", cause: "2 elements Subject", make: changes(func(a *etree.Element) { a.AddChild(within(a, "Subject").Copy()) })},
	{name: "an element in a name", cause: "more than text", make: changes(func(a *etree.Element) { within(a, "NameID").CreateElement("saml:x") })},
	{name: "an empty name", cause: "empty or longer", make: says(func(s *said) { s.assertion.name = " " })},
	{name: "a name that is too long", cause: "empty or longer", twin: nil, make: says(func(s *said) { s.assertion.name = strings.Repeat("x", mvpd.MaxSubject+1) })},
	{name: "a confirmation for somebody with a key", cause: "no SubjectConfirmation of a bearer", make: says(func(s *said) { s.assertion.method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key" })},
	{name: "nobody logged in", cause: "no AuthnStatement", make: changes(func(a *etree.Element) { a.RemoveChild(within(a, "AuthnStatement")) })},
	{name: "a session that has ended", cause: "session has ended", twin: changes(func(a *etree.Element) {
		within(a, "AuthnStatement").CreateAttr("SessionNotOnOrAfter", stamp(now.Add(time.Hour)))
	}), make: changes(func(a *etree.Element) {
		within(a, "AuthnStatement").CreateAttr("SessionNotOnOrAfter", stamp(now.Add(-time.Hour)))
	})},
	{name: "another version", cause: "another version", make: changes(func(a *etree.Element) { a.CreateAttr("Version", "1.1") })},
	{name: "another message", cause: "no Response", make: func(f *fixture) string {
		return strings.ReplaceAll(write(f.answer()), "samlp:Response", "samlp:LogoutResponse")
	}},
	{
		name: "two values of the viewer's id", cause: "2 values", with: func(m *config.MVPD) { m.Attributes = map[string]string{"userID": "household"} },
		make: changes(func(a *etree.Element) { e := within(a, "Attribute"); e.AddChild(e.ChildElements()[0].Copy()) }), twin: nil,
	},
}
