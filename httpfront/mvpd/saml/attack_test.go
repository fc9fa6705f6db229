package saml_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// attack is an answer that must be refused, and next to it one that differs only in what
// the attack is and must be accepted: so the attack fails for that and nothing else.
type attack struct {
	name string
	// cause is part of why it is refused.
	cause string
	// twin makes the harmless answer; nil: the honest one.
	twin func(f *fixture) string
	// make makes the attack.
	make func(f *fixture) string
	// with changes the configuration, for both.
	with func(*config.MVPD)
}

// says makes an answer with other words, with its assertion signed.
func says(change func(*said)) func(f *fixture) string {
	return func(f *fixture) string {
		s := honest(f.requestID)
		change(&s)
		return write(s.response(f.provider.signed(s.assertion.element())))
	}
}

// changes makes an answer whose assertion was changed before it was signed.
func changes(change func(a *etree.Element)) func(f *fixture) string {
	return func(f *fixture) string {
		s := honest(f.requestID)
		a := s.assertion.element()
		change(a)
		return write(s.response(f.provider.signed(a)))
	}
}

// signs makes an answer whose assertion is signed otherwise.
func signs(change func(*signing)) func(f *fixture) string {
	return func(f *fixture) string {
		s := honest(f.requestID)
		return write(s.response(f.provider.signed(s.assertion.element(), change)))
	}
}

// alters changes the text of the honest answer, after it was signed.
func alters(from, to string) func(f *fixture) string {
	return func(f *fixture) string { return replace(f.t, write(f.answer()), from, to) }
}

// wraps rearranges the honest answer around a forged assertion of the same form.
func wraps(arrange func(answer, signed, forged, signature *etree.Element)) func(f *fixture) string {
	return func(f *fixture) string {
		answer := f.answer()
		signed := find(f.t, answer, "Assertion")
		forged := signed.Copy()
		forged.CreateAttr("ID", "_forged")
		find(f.t, forged, "NameID").SetText("victim")
		forged.RemoveChild(forged.SelectElement("Signature"))
		arrange(answer, signed, forged, find(f.t, signed, "Signature"))
		return write(answer)
	}
}

// wrapsResponse rearranges an answer that is signed as a whole around a forged one.
func wrapsResponse(arrange func(forged, signed, signature *etree.Element)) func(f *fixture) string {
	return func(f *fixture) string {
		s := honest(f.requestID)
		signed := f.provider.signed(s.response(s.assertion.element()))
		forged := signed.Copy()
		forged.CreateAttr("ID", "_forged")
		find(f.t, forged, "NameID").SetText("victim")
		find(f.t, forged, "Assertion").CreateAttr("ID", "_other")
		signature := forged.SelectElement("Signature")
		signed.RemoveChild(signed.SelectElement("Signature"))
		arrange(forged, signed, signature)
		return write(forged)
	}
}

func wholeSigned(f *fixture) string {
	s := honest(f.requestID)
	return write(f.provider.signed(s.response(s.assertion.element())))
}

func inObject(e *etree.Element) *etree.Element {
	o := etree.NewElement("ds:Object")
	o.AddChild(e)
	return o
}

// wrapping are the eight classes of signature wrapping; Somorovsky et al., "On Breaking
// SAML: Be Whoever You Want to Be", 2012.
var wrapping = []attack{
	{
		name: "wrapping 1: the signed answer in the signature of a forged one", cause: "more than one assertion", twin: wholeSigned,
		make: wrapsResponse(func(_, signed, signature *etree.Element) { signature.AddChild(signed) }),
	},
	{
		name: "wrapping 2: the signed answer in front of the signature of a forged one", cause: "more than one assertion", twin: wholeSigned,
		make: wrapsResponse(func(forged, signed, signature *etree.Element) { forged.InsertChildAt(signature.Index(), signed) }),
	},
	{
		name: "wrapping 3: a forged assertion in front of the signed one", cause: "more than one assertion",
		make: wraps(func(answer, signed, forged, _ *etree.Element) { answer.InsertChildAt(signed.Index(), forged) }),
	},
	{
		name: "wrapping 4: the signed assertion in a forged one", cause: "more than one assertion",
		make: wraps(func(answer, signed, forged, _ *etree.Element) {
			answer.RemoveChild(signed)
			forged.AddChild(signed)
			answer.AddChild(forged)
		}),
	},
	{
		name: "wrapping 5: a forged assertion with the signature, the signed one behind", cause: "more than one assertion",
		make: wraps(func(answer, signed, forged, signature *etree.Element) {
			signed.RemoveChild(signature)
			forged.InsertChildAt(1, signature)
			answer.InsertChildAt(signed.Index(), forged)
		}),
	},
	{
		name: "wrapping 6: the signed assertion in the signature of a forged one", cause: "more than one assertion",
		make: wraps(func(answer, signed, forged, signature *etree.Element) {
			answer.RemoveChild(signed)
			signed.RemoveChild(signature)
			signature.AddChild(signed)
			forged.InsertChildAt(1, signature)
			answer.AddChild(forged)
		}),
	},
	{
		name: "wrapping 7: a forged assertion in Extensions", cause: "more than one assertion",
		make: wraps(func(answer, signed, forged, _ *etree.Element) {
			e := etree.NewElement("samlp:Extensions")
			e.AddChild(forged)
			answer.InsertChildAt(1, e)
		}),
	},
	{
		name: "wrapping 8: the signed assertion in an Object of the signature of a forged one", cause: "more than one assertion",
		make: wraps(func(answer, signed, forged, signature *etree.Element) {
			answer.RemoveChild(signed)
			signed.RemoveChild(signature)
			signature.AddChild(inObject(signed))
			forged.InsertChildAt(1, signature)
			answer.AddChild(forged)
		}),
	},
	{
		name: "the forged assertion has the id of the signed one", cause: "an id that is there twice",
		make: wraps(func(answer, signed, forged, _ *etree.Element) {
			forged.CreateAttr("ID", "_assertion")
			answer.InsertChildAt(signed.Index(), forged)
		}),
	},
	{
		name: "the forged assertion takes the signature along", cause: "refers to something else",
		make: wraps(func(answer, signed, forged, signature *etree.Element) {
			forged.InsertChildAt(1, signature.Copy())
			answer.RemoveChild(signed)
			answer.AddChild(forged)
		}),
	},
	{
		name: "the forged assertion takes signature and id along", cause: "what is signed was changed",
		make: wraps(func(answer, signed, forged, signature *etree.Element) {
			forged.CreateAttr("ID", "_assertion")
			forged.InsertChildAt(1, signature.Copy())
			answer.RemoveChild(signed)
			answer.AddChild(forged)
		}),
	},
}

// documents are attacks on whoever reads XML.
var documents = []attack{
	{name: "a comment that cuts a name", cause: "a comment", twin: alters(">viewer-1<", ">viewer-1<"), make: alters(">viewer-1<", "><!---->viewer-1<")},
	{
		name: "a comment that was signed", cause: "a comment", twin: says(func(s *said) { s.assertion.name = "viewer-1" }),
		make: says(func(s *said) { s.assertion.name = "viewer-1<!-- -->.evil" }),
	},
	{name: "a processing instruction that cuts a name", cause: "a processing instruction", make: alters(">viewer-1<", "><?x y?>viewer-1<")},
	{
		name: "an external entity (XXE)", cause: "a document type",
		make: func(f *fixture) string {
			return `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + replace(f.t, write(f.answer()), ">viewer-1<", ">&x;<")
		},
	},
	{
		name: "an entity bomb", cause: "a document type",
		make: func(f *fixture) string {
			bomb := `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">`
			for c := 'b'; c < 'k'; c++ {
				bomb += fmt.Sprintf(`<!ENTITY %c "%s">`, c, strings.Repeat(fmt.Sprintf("&%c;", c-1), 10))
			}
			return bomb + `]>` + replace(f.t, write(f.answer()), ">viewer-1<", ">&j;<")
		},
	},
	{name: "a parameter entity", cause: "a document type", make: func(f *fixture) string {
		return `<!DOCTYPE r [<!ENTITY % x SYSTEM "http://mallory.example/dtd">%x;]>` + write(f.answer())
	}},
	{name: "a document type", cause: "a document type", twin: func(f *fixture) string { return `<?xml version="1.0" encoding="UTF-8"?>` + write(f.answer()) }, make: func(f *fixture) string {
		return `<!DOCTYPE Response>` + write(f.answer())
	}},
	{name: "an entity that nobody declared", cause: "not well-formed", twin: alters(">viewer-1<", ">viewer&#45;1<"), make: alters(">viewer-1<", ">viewer&dash;1<")},
	{name: "too many bytes", cause: "more than 262144 bytes", make: func(f *fixture) string { return write(f.answer()) + strings.Repeat(" ", 256<<10) }},
	{name: "too many elements", cause: "more than 1000 elements", make: func(f *fixture) string {
		return replace(f.t, write(f.answer()), "<samlp:Status>", "<samlp:Extensions>"+strings.Repeat("<samlp:x/>", 1000)+"</samlp:Extensions><samlp:Status>")
	}},
	{name: "elements too deep", cause: "more than 32 deep", make: func(f *fixture) string {
		return replace(f.t, write(f.answer()), "<samlp:Status>", strings.Repeat("<samlp:x>", 40)+strings.Repeat("</samlp:x>", 40)+"<samlp:Status>")
	}},
	{name: "too many attributes", cause: "more than 32 attributes", make: func(f *fixture) string {
		var b strings.Builder
		for i := range 40 {
			fmt.Fprintf(&b, ` a%d=""`, i)
		}
		return replace(f.t, write(f.answer()), "<samlp:Status>", "<samlp:Status"+b.String()+">")
	}},
	{name: "too many namespaces", cause: "more than 32 namespaces", make: func(f *fixture) string {
		var b strings.Builder
		for i := range 31 {
			fmt.Fprintf(&b, ` xmlns:n%d="urn:n"`, i)
		}
		return replace(f.t, write(f.answer()), "<samlp:Status>", "<samlp:Status"+b.String()+">")
	}},
	{name: "another encoding", cause: "not well-formed", twin: func(f *fixture) string { return `<?xml version="1.0" encoding="UTF-8"?>` + write(f.answer()) }, make: func(f *fixture) string {
		return `<?xml version="1.0" encoding="UTF-7"?>` + write(f.answer())
	}},
	{name: "no UTF-8", cause: "no UTF-8", make: alters(">viewer-1<", ">viewer-1\xff<")},
	{name: "a second root element", cause: "two root elements", make: func(f *fixture) string { return write(f.answer()) + write(f.answer()) }},
	{name: "text behind the root element", cause: "text outside", twin: func(f *fixture) string { return write(f.answer()) + "\n" }, make: func(f *fixture) string { return write(f.answer()) + "x" }},
	{name: "an attribute twice", cause: "there twice", make: alters(`Destination="`, `Destination="https://mallory.example" Destination="`)},
	{name: "an id twice", cause: "an id that is there twice", twin: alters("<samlp:Status>", `<samlp:Status ID="_other">`), make: alters("<samlp:Status>", `<samlp:Status ID="_assertion">`)},
	{name: "an id in a namespace", cause: "a confusing one", twin: alters("<samlp:Status>", `<samlp:Status samlp:other="_assertion">`), make: alters("<samlp:Status>", `<samlp:Status samlp:ID="_assertion">`)},
	{name: "a prefix that is called like the id", cause: "must not be declared", twin: alters("<samlp:Status>", `<samlp:Status xmlns:IE="urn:x">`), make: alters("<samlp:Status>", `<samlp:Status xmlns:ID="urn:x">`)},
	{name: "a prefix that nobody declared", cause: "in no namespace", twin: alters("<samlp:Status>", `<samlp:Extensions xmlns:x="urn:x"><x:a/></samlp:Extensions><samlp:Status>`), make: alters("<samlp:Status>", `<samlp:Extensions><x:a/></samlp:Extensions><samlp:Status>`)},
	{name: "an element in no namespace", cause: "in no namespace", make: alters("<samlp:Status>", `<a/><samlp:Status>`)},
	{name: "a prefix that changes its meaning", cause: "where none belongs", make: alters(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`, `<saml:Assertion xmlns:saml="urn:mallory"`)},
	{name: "the prefix of XML itself", cause: "must not be declared", make: alters("<samlp:Status>", `<samlp:Status xmlns:xml="urn:x">`)},
	{name: "a colon that two parsers read differently", cause: "not well-formed", make: alters("<samlp:Status>", `<samlp:Status samlp:a:b="">`)},
}

// signatures are attacks on whoever checks signatures.
var signatures = []attack{
	{name: "unsigned", cause: "nothing is signed", make: func(f *fixture) string {
		s := honest(f.requestID)
		return write(s.response(s.assertion.element()))
	}},
	{name: "signed by somebody else", cause: "none of the provider's keys", twin: signedBy("provider next"), make: signedBy("mallory")},
	{name: "signed by somebody else, with the provider's certificate in KeyInfo", cause: "none of the provider's keys", make: func(f *fixture) string {
		s := honest(f.requestID)
		return write(s.response(parties()["mallory"].signed(s.assertion.element(), func(s *signing) { s.certificate = f.provider.base64() })))
	}},
	{name: "signed by a key of the provider that only encrypts", cause: "none of the provider's keys", make: signedBy("provider encryption")},
	{name: "signed by a key of ours", cause: "none of the provider's keys", make: signedBy("service")},
	{name: "a name changed after it was signed", cause: "what is signed was changed", make: alters(">viewer-1<", ">victim<")},
	{name: "a changed signature", cause: "what is signed was changed", twin: signs(func(s *signing) {}), make: signs(func(s *signing) {
		of := s.sign
		s.sign = func(info []byte) []byte { v := of(info); v[7] ^= 1; return v }
	})},
	{name: "SHA-1", cause: "algorithm is not accepted", make: signs(sha1Signing)},
	{name: "the digest with SHA-1 only", cause: "digest is not accepted", make: signs(func(s *signing) { s.digest = "http://www.w3.org/2000/09/xmldsig#sha1" })},
	{name: "HMAC with the public certificate", cause: "algorithm is not accepted", make: func(f *fixture) string {
		return signs(func(s *signing) {
			s.method = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
			s.sign = func(info []byte) []byte {
				mac := hmac.New(sha256.New, f.provider.certificate.Raw)
				mac.Write(info)
				return mac.Sum(nil)
			}
		})(f)
	}},
	{name: "no algorithm", cause: "algorithm is not accepted", make: signs(func(s *signing) { s.method = "" })},
	{name: "an algorithm called none", cause: "algorithm is not accepted", make: signs(func(s *signing) { s.method = "none"; s.sign = func([]byte) []byte { return nil } })},
	{name: "an algorithm of another kind of key", cause: "what is signed was changed", make: signs(func(s *signing) { s.method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" })},
	{name: "an empty reference", cause: "refers to something else", make: signs(func(s *signing) { s.uri = "" })},
	{name: "a reference to another element", cause: "refers to something else", make: signs(func(s *signing) { s.uri = "#_response" })},
	{name: "a reference elsewhere", cause: "refers to something else", make: signs(func(s *signing) { s.uri = "https://mallory.example/#_assertion" })},
	{name: "a reference by XPointer", cause: "refers to something else", make: signs(func(s *signing) { s.uri = "#xpointer(id('_assertion'))" })},
	{name: "two references", cause: "2 elements Reference", make: signs(func(s *signing) {
		s.info = func(info *etree.Element) { info.AddChild(within(info, "Reference").Copy()) }
	})},
	{name: "no reference: a signature over nothing", cause: "0 elements Reference", make: signs(func(s *signing) {
		s.info = func(info *etree.Element) { info.RemoveChild(within(info, "Reference")) }
	})},
	{name: "two SignedInfo", cause: "2 elements SignedInfo", make: signs(func(s *signing) {
		s.signature = func(e *etree.Element) { e.InsertChildAt(0, within(e, "SignedInfo").Copy()) }
	})},
	{name: "an Object", cause: "something else in it", make: signs(func(s *signing) {
		s.signature = func(e *etree.Element) {
			e.AddChild(parse(`<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`))
		}
	})},
	{name: "no enveloped transform", cause: "transforms are not accepted", make: signs(func(s *signing) { s.transforms = []string{exclusive} })},
	{name: "no canonicalization", cause: "transforms are not accepted", make: signs(func(s *signing) { s.transforms = []string{enveloped} })},
	{name: "a transform by XSLT", cause: "transforms are not accepted", make: signs(func(s *signing) {
		s.transforms = []string{"http://www.w3.org/TR/1999/REC-xslt-19991116", enveloped, exclusive}
	})},
	{name: "a transform by XPath", cause: "transforms are not accepted", make: signs(func(s *signing) {
		s.transforms = []string{enveloped, "http://www.w3.org/TR/1999/REC-xpath-19991116"}
	})},
	{name: "a transform by Base64", cause: "transforms are not accepted", make: signs(func(s *signing) {
		s.transforms = []string{enveloped, "http://www.w3.org/2000/09/xmldsig#base64"}
	})},
	{name: "canonicalization that keeps comments", cause: "transforms are not accepted", make: signs(func(s *signing) {
		s.transforms = []string{enveloped, exclusive + "WithComments"}
	})},
	{name: "canonicalization of SignedInfo by something else", cause: "canonicalization is not accepted", make: signs(func(s *signing) { s.canonical = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" })},
	{name: "the signature of the subject only: partly signed", cause: "none belongs", make: func(f *fixture) string {
		s := honest(f.requestID)
		a := s.assertion.element()
		subject := find(f.t, a, "Subject")
		subject.CreateAttr("ID", "_subject")
		subject.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
		signed := f.provider.signed(subject)
		a.InsertChildAt(subject.Index(), signed)
		a.RemoveChild(subject)
		return write(s.response(a))
	}},
	{name: "a signed status around an assertion of somebody else", cause: "none of the provider's keys", twin: bothSigned("provider"), make: bothSigned("mallory")},
	{name: "a signed assertion in an answer signed by somebody else", cause: "none of the provider's keys", twin: bothSigned("provider"), make: func(f *fixture) string {
		return write(parties()["mallory"].signed(f.answer()))
	}},
	{name: "a signature behind what it signs", cause: "not where it belongs", make: func(f *fixture) string {
		answer := f.answer()
		a := find(f.t, answer, "Assertion")
		signature := a.SelectElement("Signature")
		a.RemoveChild(signature)
		a.AddChild(signature)
		return write(answer)
	}},
	{name: "two signatures of one assertion", cause: "none belongs", make: func(f *fixture) string {
		answer := f.answer()
		a := find(f.t, answer, "Assertion")
		a.InsertChildAt(1, a.SelectElement("Signature").Copy())
		return write(answer)
	}},
	{name: "a signature that is called so in another namespace", cause: "nothing is signed", make: func(f *fixture) string {
		return strings.ReplaceAll(write(f.answer()), `xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`, `xmlns:ds="urn:mallory"`)
	}},
}

// signedBy makes an answer whose assertion somebody signs, and says so in KeyInfo.
func signedBy(name string) func(f *fixture) string {
	return func(f *fixture) string {
		s := honest(f.requestID)
		return write(s.response(parties()[name].signed(s.assertion.element())))
	}
}

// bothSigned makes an answer that the provider signs around an assertion that somebody signs.
func bothSigned(name string) func(f *fixture) string {
	return func(f *fixture) string {
		s := honest(f.requestID)
		return write(f.provider.signed(s.response(parties()[name].signed(s.assertion.element()))))
	}
}

func within(e *etree.Element, tag string) *etree.Element { return e.FindElement(".//" + tag) }

// TestAHostileProviderIsRefused plays every attack, and its twin.
func TestAHostileProviderIsRefused(t *testing.T) {
	for _, class := range [][]attack{wrapping, documents, signatures, contents, encryptions} {
		for _, a := range class {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				with := func(m *config.MVPD) {
					if a.with != nil {
						a.with(m)
					}
				}
				f := connect(t, with)
				harmless := write(f.answer())
				if a.twin != nil {
					harmless = a.twin(f)
				}
				if _, _, err := f.post(harmless); err != nil {
					t.Errorf("its harmless twin is refused: %v", err)
				}
				who, _, err := f.post(a.make(f))
				if err == nil {
					t.Fatalf("the attack gets in as %q", who.Subject)
				}
				if code(err) != mvpd.InvalidRequest || !strings.Contains(err.Error(), a.cause) {
					t.Errorf("refused with %v, want invalid_request for %q", err, a.cause)
				}
			})
		}
	}
}

// TestFormsThatAreRefused: parameters that two readers could understand differently.
func TestFormsThatAreRefused(t *testing.T) {
	f := connect(t)
	good := base64.StdEncoding.EncodeToString([]byte(write(f.answer())))
	tests := map[string]url.Values{
		"no message":     {"RelayState": {f.login.State}},
		"two messages":   {"SAMLResponse": {good, good}, "RelayState": {f.login.State}},
		"no state":       {"SAMLResponse": {good}},
		"two states":     {"SAMLResponse": {good}, "RelayState": {f.login.State, f.login.State}},
		"no Base64":      {"SAMLResponse": {"<samlp:Response/>"}, "RelayState": {f.login.State}},
		"a request":      {"SAMLRequest": {good}, "RelayState": {f.login.State}},
		"nothing in it":  {"SAMLResponse": {""}, "RelayState": {f.login.State}},
		"an empty state": {"SAMLResponse": {good}, "RelayState": {""}},
	}
	for name, form := range tests {
		if _, _, err := f.postForm(form); code(err) != mvpd.InvalidRequest {
			t.Errorf("%s: %v, want invalid_request", name, err)
		}
	}
	if _, _, err := f.postForm(url.Values{"SAMLResponse": {good}, "RelayState": {f.login.State}}); err != nil {
		t.Errorf("the good form: %v", err)
	}
}

// TestAReplayHasTheSameId: what is claimed once in the cluster is the assertion's id.
func TestAReplayHasTheSameId(t *testing.T) {
	f := connect(t)
	_, first, err := f.post(write(f.answer()))
	if err != nil {
		t.Fatal(err)
	}
	_, again, err := f.post(write(f.answer()))
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Once) != 1 || len(again.Once) != 1 || first.Once[0] != again.Once[0] {
		t.Errorf("ids that count once: %v and %v, want one, the same", first.Once, again.Once)
	}
	f.ahead = first.Once[0].Until.Sub(now)
	if _, _, err := f.post(write(f.answer())); err == nil {
		t.Error("it is accepted after its id may be forgotten")
	}
}
