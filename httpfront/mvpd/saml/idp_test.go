package saml_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // for what must be refused
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"
)

// now is the time of these tests.
var now = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// party has a key and a certificate of it.
type party struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

func newParty(name string, bits int) *party {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &party{key, certificate}
}

func (p *party) base64() string { return base64.StdEncoding.EncodeToString(p.certificate.Raw) }

func (p *party) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Raw})
}

func (p *party) keyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(p.key)})
}

// The parties: a provider with two keys and one that only encrypts, the service with two
// keys, and somebody else. Keys take long to make.
var parties = sync.OnceValue(func() map[string]*party {
	all := map[string]*party{}
	for _, name := range []string{"provider", "provider next", "provider encryption", "service", "service next", "mallory"} {
		all[name] = newParty(name, 2048)
	}
	return all
})

const (
	base       = "https://sso.example/saml/demo/dish"
	entityID   = base + "/metadata"
	acs        = base + "/acs"
	slo        = base + "/slo"
	providerID = "https://idp.dish.example/metadata"
)

// metadata describes the provider.
func metadata(keys ...*party) string {
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`, k.base64())
	}
	return `<?xml version="1.0"?>
<!-- of the provider -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ID="_meta" entityID="` + providerID + `">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + b.String() + `
<md:KeyDescriptor use="encryption"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + parties()["provider encryption"].base64() + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.dish.example/slo" ResponseLocation="https://idp.dish.example/slo/done"/>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.dish.example/sso?tenant=1"/>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.dish.example/sso/post"/>
</md:IDPSSODescriptor></md:EntityDescriptor>`
}

// said is what the provider says in an answer.
type said struct {
	destination, issuer, inResponseTo, status string
	assertion                                 assertion
}

type assertion struct {
	id, issuer, name, recipient, inResponseTo, method, audience string

	issued, from, until, confirmedUntil time.Time

	more string // statements and conditions in addition, see the template
}

// honest is what it says to a login.
func honest(requestID string) said {
	return said{
		destination: acs, issuer: providerID, inResponseTo: requestID, status: "Success",
		assertion: assertion{
			id: "_assertion", issuer: providerID, name: "viewer-1", recipient: acs, inResponseTo: requestID,
			method: "urn:oasis:names:tc:SAML:2.0:cm:bearer", audience: entityID,
			issued: now, from: now.Add(-time.Minute), until: now.Add(5 * time.Minute), confirmedUntil: now.Add(5 * time.Minute),
		},
	}
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

// element is an assertion without a signature.
func (a assertion) element() *etree.Element {
	return parse(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="` + a.id + `" Version="2.0" IssueInstant="` + stamp(a.issued) + `">` +
		`<saml:Issuer>` + a.issuer + `</saml:Issuer>` +
		`<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">` + a.name + `</saml:NameID>` +
		`<saml:SubjectConfirmation Method="` + a.method + `"><saml:SubjectConfirmationData Recipient="` + a.recipient + `" InResponseTo="` + a.inResponseTo + `" NotOnOrAfter="` + stamp(a.confirmedUntil) + `"/></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="` + stamp(a.from) + `" NotOnOrAfter="` + stamp(a.until) + `"><saml:AudienceRestriction><saml:Audience>` + a.audience + `</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AuthnStatement AuthnInstant="` + stamp(a.issued) + `" SessionIndex="session-1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
		`<saml:AttributeStatement><saml:Attribute Name="urn:example:household" FriendlyName="household"><saml:AttributeValue>house-7</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>` +
		a.more + `</saml:Assertion>`)
}

// response is an answer around an assertion, or without one; nothing is signed yet.
func (s said) response(assertion ...*etree.Element) *etree.Element {
	r := parse(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_response" Version="2.0" IssueInstant="` + stamp(now) + `" Destination="` + s.destination + `" InResponseTo="` + s.inResponseTo + `">` +
		`<saml:Issuer>` + s.issuer + `</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + s.status + `"/></samlp:Status></samlp:Response>`)
	for _, a := range assertion {
		r.AddChild(a)
	}
	return r
}

func parse(text string) *etree.Element {
	d := etree.NewDocument()
	if err := d.ReadFromString(text); err != nil {
		panic(err)
	}
	return d.Root()
}

func write(e *etree.Element) string {
	d := etree.NewDocument()
	d.SetRoot(e.Copy())
	text, err := d.WriteToString()
	if err != nil {
		panic(err)
	}
	return text
}

// signing is how something is signed; the hostile provider changes it.
type signing struct {
	method, digest, canonical string
	transforms                []string
	uri                       string // of the reference
	sum                       crypto.Hash
	sign                      func(info []byte) []byte
	certificate               string // in KeyInfo; "" for none
	info                      func(info *etree.Element)
	signature                 func(signature *etree.Element)
	of                        *etree.Element // what is digested
}

const (
	exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
)

// signed puts a signature of p into a copy of an element, after its issuer.
func (p *party) signed(e *etree.Element, change ...func(*signing)) *etree.Element {
	s := &signing{
		method: dsig.RSASHA256SignatureMethod, digest: "http://www.w3.org/2001/04/xmlenc#sha256", canonical: exclusive,
		transforms: []string{enveloped, exclusive}, uri: "#" + e.SelectAttrValue("ID", ""), sum: crypto.SHA256, certificate: p.base64(), of: e,
	}
	s.sign = func(info []byte) []byte {
		h := s.sum.New()
		h.Write(info)
		value, err := rsa.SignPKCS1v15(rand.Reader, p.key, s.sum, h.Sum(nil))
		if err != nil {
			panic(err)
		}
		return value
	}
	for _, c := range change {
		c(s)
	}
	out, at := e.Copy(), 0
	if first := out.ChildElements(); len(first) > 0 && first[0].Tag == "Issuer" {
		at = first[0].Index() + 1
	}
	out.InsertChildAt(at, s.element())
	return out
}

func (s *signing) element() *etree.Element {
	h := s.sum.New()
	h.Write(canonical(s.of))
	var transforms strings.Builder
	for _, t := range s.transforms {
		transforms.WriteString(`<ds:Transform Algorithm="` + t + `"/>`)
	}
	reference := `<ds:Reference URI="` + s.uri + `"><ds:Transforms>` + transforms.String() + `</ds:Transforms><ds:DigestMethod Algorithm="` + s.digest + `"/><ds:DigestValue>` + base64.StdEncoding.EncodeToString(h.Sum(nil)) + `</ds:DigestValue></ds:Reference>`
	info := parse(`<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm="` + s.canonical + `"/><ds:SignatureMethod Algorithm="` + s.method + `"/>` + reference + `</ds:SignedInfo>`)
	if s.info != nil {
		s.info(info)
	}
	signature := parse(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignatureValue>` + base64.StdEncoding.EncodeToString(s.sign(canonical(info))) + `</ds:SignatureValue></ds:Signature>`)
	signature.InsertChildAt(0, info)
	if s.certificate != "" {
		signature.AddChild(parse(`<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` + s.certificate + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`))
	}
	if s.signature != nil {
		s.signature(signature)
	}
	return signature
}

func canonical(e *etree.Element) []byte {
	text, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(e.Copy())
	if err != nil {
		panic(err)
	}
	return text
}

// sha1Signing signs with SHA-1.
func sha1Signing(s *signing) {
	s.method, s.sum = dsig.RSASHA1SignatureMethod, crypto.SHA1
	s.digest = "http://www.w3.org/2000/09/xmldsig#sha1"
}

// encrypted hides an element for p.
func (p *party) encrypted(e *etree.Element, as string, with xmlenc.RSA, block xmlenc.BlockCipher) *etree.Element {
	with.BlockCipher = block
	data, err := with.Encrypt(p.certificate, []byte(write(e)), nil)
	if err != nil {
		panic(err)
	}
	out := parse(`<saml:` + as + ` xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`)
	out.AddChild(data)
	return out
}

// find is the first element with a tag anywhere in another one.
func find(t testing.TB, e *etree.Element, tag string) *etree.Element {
	t.Helper()
	found := e.FindElement(".//" + tag)
	if found == nil {
		t.Fatalf("no %s in %s", tag, e.Tag)
	}
	return found
}

func replace(t testing.TB, in, from, to string) string {
	t.Helper()
	if !strings.Contains(in, from) {
		t.Fatalf("%q is not in the message", from)
	}
	return strings.Replace(in, from, to, 1)
}
