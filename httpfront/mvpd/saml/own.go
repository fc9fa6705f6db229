package saml

import (
	"crypto/x509"
	"encoding/base64"
	"slices"
	"time"

	"github.com/beevik/etree"
)

// MetadataType is the media type of metadata; SAML Metadata 2.0, appendix A.
const MetadataType = "application/samlmetadata+xml"

// ownValidity is for how long the service's metadata counts, and ownCache how soon the
// provider should fetch it again: a new key is known to it by then.
const (
	ownValidity = 7 * 24 * time.Hour
	ownCache    = "PT6H"
)

// published is metadata that was made. Anybody may ask for it, so it is not signed each time.
type published struct {
	text []byte
	with pairs
	at   time.Time
}

// renewEvery is after how long metadata is made again, for its validUntil.
const renewEvery = 10 * time.Minute

// Metadata describes this service to the provider, signed; SAML Metadata 2.0, 2.4.4. During a
// roll-over it has both certificates. The caller does not change it.
func (c *Connector) Metadata() ([]byte, error) {
	keys, err := c.keys.get()
	if err != nil {
		return nil, err
	}
	now := c.now()
	if p := c.published.Load(); p != nil && &p.with[0] == &keys[0] && now.Sub(p.at).Abs() < renewEvery {
		return p.text, nil
	}
	signed, err := keys[0].sign(c.description(keys))
	if err != nil {
		return nil, err
	}
	text, err := writeXML(signed)
	if err != nil {
		return nil, err
	}
	c.published.Store(&published{text, keys, now})
	return text, nil
}

func (c *Connector) description(keys pairs) *etree.Element {
	root := etree.NewElement("md:EntityDescriptor")
	root.CreateAttr("xmlns:md", metadataNS)
	root.CreateAttr("xmlns:ds", signatureNS)
	root.CreateAttr("ID", "_metadata")
	root.CreateAttr("entityID", c.entityID())
	root.CreateAttr("validUntil", c.now().Add(ownValidity).UTC().Format(time.RFC3339))
	root.CreateAttr("cacheDuration", ownCache)
	role := root.CreateElement("md:SPSSODescriptor")
	role.CreateAttr("AuthnRequestsSigned", "true")
	role.CreateAttr("WantAssertionsSigned", "true")
	role.CreateAttr("protocolSupportEnumeration", protocolNS)
	for _, p := range keys {
		describeKey(role, "signing", p.certificate, nil)
	}
	algorithms := dataAlgorithms
	if c.config.AllowCBC {
		algorithms = slices.Concat(algorithms, cbcAlgorithms)
	}
	for _, p := range keys {
		describeKey(role, "encryption", p.certificate, slices.Concat(algorithms, keyAlgorithms))
	}
	for _, binding := range []string{redirectBinding, postBinding} {
		describeEndpoint(role, "SingleLogoutService", binding, c.logoutURL())
	}
	role.CreateElement("md:NameIDFormat").SetText(persistentFormat)
	consumer := describeEndpoint(role, "AssertionConsumerService", postBinding, c.consumerURL())
	consumer.CreateAttr("index", "0")
	consumer.CreateAttr("isDefault", "true")
	return root
}

func describeKey(role *etree.Element, use string, c *x509.Certificate, algorithms []string) {
	k := role.CreateElement("md:KeyDescriptor")
	k.CreateAttr("use", use)
	k.CreateElement("ds:KeyInfo").CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").
		SetText(base64.StdEncoding.EncodeToString(c.Raw))
	for _, a := range algorithms {
		k.CreateElement("md:EncryptionMethod").CreateAttr("Algorithm", a)
	}
}

func describeEndpoint(role *etree.Element, service, binding, location string) *etree.Element {
	e := role.CreateElement("md:" + service)
	e.CreateAttr("Binding", binding)
	e.CreateAttr("Location", location)
	return e
}
