package saml

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// minRSA is the shortest RSA key in bits, of others and of our own.
const minRSA = 2048

// signatureAlgorithms are the signatures that are accepted. SHA-1 is not among them, nor is
// anything that needs no private key.
var signatureAlgorithms = map[string]x509.SignatureAlgorithm{
	dsig.RSASHA256SignatureMethod:   x509.SHA256WithRSA,
	dsig.RSASHA384SignatureMethod:   x509.SHA384WithRSA,
	dsig.RSASHA512SignatureMethod:   x509.SHA512WithRSA,
	dsig.ECDSASHA256SignatureMethod: x509.ECDSAWithSHA256,
	dsig.ECDSASHA384SignatureMethod: x509.ECDSAWithSHA384,
	dsig.ECDSASHA512SignatureMethod: x509.ECDSAWithSHA512,
}

// digestAlgorithms are the digests that are accepted.
var digestAlgorithms = map[string]bool{
	"http://www.w3.org/2001/04/xmlenc#sha256":       true,
	"http://www.w3.org/2001/04/xmldsig-more#sha384": true,
	"http://www.w3.org/2001/04/xmlenc#sha512":       true,
}

// The only transforms that are accepted, in this order; SAML Core 2.0, 5.4.4.
var (
	enveloped = dsig.EnvelopedSignatureAltorithmId.String()
	exclusive = dsig.CanonicalXML10ExclusiveAlgorithmId.String()
)

// errSignature says that a signature is not the provider's. It does not say by which of
// the keys it could have been.
var errSignature = errors.New("the signature is by none of the provider's keys, or what is signed was changed")

// verify checks the signature of an element by one of the certificates, and returns what was
// signed: read again from the bytes that were digested, without the signature. Nothing else of
// the document may be believed. The library finds and computes; which signatures it gets to
// see is decided here.
func verify(e *etree.Element, by []*x509.Certificate, of kind) (*etree.Element, error) {
	signature, err := one(e, signatureNS, dsig.SignatureTag)
	if err != nil {
		return nil, err
	}
	if err := checkSignature(e, signature); err != nil {
		return nil, fmt.Errorf("the signature of %s: %w", e.Tag, err)
	}
	detached, err := detach(e)
	if err != nil {
		return nil, err
	}
	for _, certificate := range by {
		if signed, err := verifyBy(detached, certificate); err == nil {
			return sameElement(e, signed, of)
		}
	}
	return nil, errSignature
}

// detach copies an element with the namespaces in its scope, and without what its signature
// says of keys.
func detach(e *etree.Element) (*etree.Element, error) {
	copied, err := scoped(e)
	if err != nil {
		return nil, err
	}
	signature, err := one(copied, signatureNS, dsig.SignatureTag)
	if err != nil {
		return nil, err
	}
	for _, info := range children(signature, signatureNS, dsig.KeyInfoTag) {
		signature.RemoveChild(info)
	}
	value, err := one(signature, signatureNS, dsig.SignatureValueTag)
	if err != nil {
		return nil, err
	}
	packed, err := text(value)
	value.SetText(withoutBlanks(packed))
	return copied, err
}

// scoped copies an element with the namespaces in its scope. A root has its own; the library
// would count its elements, and those of metadata are too many for it.
func scoped(e *etree.Element) (*etree.Element, error) {
	if e.Parent() == nil {
		return e.Copy(), nil
	}
	scope, err := etreeutils.NSBuildParentContext(e)
	if err != nil {
		return nil, err
	}
	return etreeutils.NSDetatch(scope, e)
}

// verifyBy checks the signature by one certificate. That stands for its key: metadata says
// until when the key is good, so the certificate's own dates do not count (SAML V2.0
// Metadata Interoperability Profile, 2.5).
func verifyBy(e *etree.Element, by *x509.Certificate) (*etree.Element, error) {
	timeless := *by
	timeless.NotBefore, timeless.NotAfter = time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	return dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{
		Roots: []*x509.Certificate{&timeless},
	}).Validate(e)
}

// sameElement reads what was signed, strictly; it must be the element that was asked for.
func sameElement(e, signed *etree.Element, of kind) (*etree.Element, error) {
	data, err := writeXML(signed)
	if err != nil {
		return nil, err
	}
	again, err := readXML(data, of)
	if err != nil {
		return nil, err
	}
	if !is(again, e.NamespaceURI(), e.Tag) || attribute(again, "ID") != attribute(e, "ID") {
		return nil, errSignature
	}
	return again, nil
}

// checkSignature refuses a signature of another form than SAML's (Core 2.0, 5.4): one
// reference, to the element that it is in, and algorithms that are known.
func checkSignature(e, signature *etree.Element) error {
	for _, before := range e.ChildElements() {
		if before == signature {
			break
		}
		if !is(before, assertionNS, "Issuer") {
			return errors.New("it is not where it belongs")
		}
	}
	info, err := signedInfo(signature)
	if err != nil {
		return err
	}
	reference, err := one(info, signatureNS, dsig.ReferenceTag)
	if err != nil {
		return err
	}
	id := attribute(e, dsig.DefaultIdAttr)
	if !idForm.MatchString(id) || attribute(reference, dsig.URIAttr) != "#"+id {
		return errors.New("it refers to something else")
	}
	if err := checkTransforms(reference); err != nil {
		return err
	}
	digest, err := algorithm(reference, dsig.DigestMethodTag)
	if err == nil && !digestAlgorithms[digest] {
		err = errors.New("its digest is not accepted")
	}
	return err
}

// signedInfo is the part of a signature that is signed, with accepted algorithms.
func signedInfo(signature *etree.Element) (*etree.Element, error) {
	for _, child := range signature.ChildElements() {
		if !is(child, signatureNS, dsig.SignedInfoTag) && !is(child, signatureNS, dsig.SignatureValueTag) && !is(child, signatureNS, dsig.KeyInfoTag) {
			return nil, errors.New("it has something else in it")
		}
	}
	info, err := one(signature, signatureNS, dsig.SignedInfoTag)
	if err != nil {
		return nil, err
	}
	canonical, err := algorithm(info, dsig.CanonicalizationMethodTag)
	if err != nil {
		return nil, err
	}
	method, err := algorithm(info, dsig.SignatureMethodTag)
	switch {
	case err != nil:
		return nil, err
	case canonical != exclusive:
		return nil, errors.New("its canonicalization is not accepted")
	case signatureAlgorithms[method] == x509.UnknownSignatureAlgorithm:
		return nil, errors.New("its algorithm is not accepted")
	}
	return info, nil
}

func checkTransforms(reference *etree.Element) error {
	transforms, err := one(reference, signatureNS, dsig.TransformsTag)
	if err != nil {
		return err
	}
	all := transforms.ChildElements()
	if len(all) != 2 || !is(all[0], signatureNS, dsig.TransformTag) || !is(all[1], signatureNS, dsig.TransformTag) ||
		attribute(all[0], dsig.AlgorithmAttr) != enveloped || attribute(all[1], dsig.AlgorithmAttr) != exclusive || len(all[0].ChildElements()) > 0 {
		return errors.New("its transforms are not accepted")
	}
	return nil
}

// algorithm is that of the only element of a name.
func algorithm(e *etree.Element, tag string) (string, error) {
	method, err := one(e, signatureNS, tag)
	if err != nil {
		return "", err
	}
	return attribute(method, dsig.AlgorithmAttr), nil
}

// verifyText checks a signature that is not in the text that it is of.
func verifyText(text, method, signature string, by []*x509.Certificate) error {
	known := signatureAlgorithms[method]
	if known == x509.UnknownSignatureAlgorithm {
		return errors.New("the algorithm of the signature is not accepted")
	}
	value, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return errors.New("the signature is no Base64")
	}
	for _, certificate := range by {
		if certificate.CheckSignature(known, []byte(text), value) == nil {
			return nil
		}
	}
	return errSignature
}

// checkKey refuses keys that are too weak.
func checkKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSA {
			return fmt.Errorf("a certificate has an RSA key of %d bits, fewer than %d", key.N.BitLen(), minRSA)
		}
		return nil
	case *ecdsa.PublicKey:
		return nil
	}
	return errors.New("a certificate has a key that is neither RSA nor ECDSA")
}

// withoutBlanks packs Base64 that was broken into lines.
func withoutBlanks(s string) string { return strings.Join(strings.Fields(s), "") }
