package saml

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"ssod/httpfront/mvpd"
)

// description is what metadata says of a provider; SAML Metadata 2.0, 2.4.3.
type description struct {
	issuer   string              // its entity id
	keys     []*x509.Certificate // that sign
	sso, slo endpoints
	// until is when the description ends; zero: never.
	until time.Time
	// cache is for how long it should be kept; zero: it does not say.
	cache time.Duration
}

// endpoints are addresses by their binding.
type endpoints map[string]endpoint

type endpoint struct {
	requests  string // where requests go
	responses string // where responses go
}

// place is where the message in a parameter goes.
func (e endpoint) place(parameter string) string {
	if parameter == responseParameter {
		return e.responses
	}
	return e.requests
}

// byteOrderMark is what some providers' files begin with.
var byteOrderMark = []byte("\xef\xbb\xbf")

// parseMetadata reads the description of the provider with an entity id; "" is the only one
// that there is. With certificates the whole must be signed by one of them, and what they do
// not sign does not count.
func parseMetadata(data []byte, by []*x509.Certificate, id string) (*description, error) {
	root, err := readXML(bytes.TrimPrefix(data, byteOrderMark), document)
	if err != nil {
		return nil, err
	}
	d, err := read(root, by, id)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return d, nil
}

func read(root *etree.Element, by []*x509.Certificate, id string) (*description, error) {
	if !is(root, metadataNS, entity) && !is(root, metadataNS, list) {
		return nil, errors.New("neither an EntityDescriptor nor an EntitiesDescriptor")
	}
	if len(by) > 0 {
		if err := checkOthers(root); err != nil {
			return nil, err
		}
		var err error
		if root, err = verify(root, by, document); err != nil {
			return nil, err
		}
	}
	of, err := choose(root, id)
	if err != nil {
		return nil, err
	}
	return describe(of)
}

// What metadata can be: of one entity, or a list of them, which may have lists in it; SAML
// Metadata 2.0, 2.3.
const (
	entity = "EntityDescriptor"
	list   = "EntitiesDescriptor"
)

// checkOthers refuses signatures in a document that could be taken for that of its root. In
// lists some entities keep their own, which nobody looks at.
func checkOthers(root *etree.Element) error {
	for _, s := range descendants(root, signatureNS, "Signature") {
		references := descendants(s, signatureNS, "Reference")
		id := attribute(s.Parent(), "ID")
		if s.Parent() != root && (id == "" || len(references) != 1 || attribute(references[0], "URI") != "#"+id) {
			return errors.New("a signature where none belongs")
		}
	}
	return nil
}

// choose finds a provider in metadata.
func choose(root *etree.Element, id string) (*etree.Element, error) {
	if id == "" && is(root, metadataNS, entity) {
		return root, nil
	}
	var found []*etree.Element
	var names []string
	for _, e := range descendants(root, metadataNS, entity) {
		name := attribute(e, "entityID")
		if id == "" && len(children(e, metadataNS, "IDPSSODescriptor")) > 0 || id != "" && name == id {
			found, names = append(found, e), append(names, strconv.Quote(name[:min(len(name), maxName)]))
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case id != "":
		return nil, fmt.Errorf("%d entities called as providerEntityId says, want 1", len(found))
	case len(found) == 0:
		return nil, errors.New("no provider (IDPSSODescriptor) in the list")
	}
	return nil, fmt.Errorf("%d providers in the list, name yours with providerEntityId: %s", len(found), strings.Join(names[:min(len(names), maxNames)], ", "))
}

// Bounds of what is said of a list.
const (
	maxNames = 8
	maxName  = 120 // bytes of a name
)

func describe(root *etree.Element) (*description, error) {
	role, err := one(root, metadataNS, "IDPSSODescriptor")
	if err != nil {
		return nil, err
	}
	if !strings.Contains(" "+attribute(role, "protocolSupportEnumeration")+" ", " "+protocolNS+" ") {
		return nil, errors.New("the provider does not speak SAML 2.0")
	}
	d := &description{issuer: attribute(root, "entityID")}
	if d.issuer == "" || len(d.issuer) > 1024 {
		return nil, errors.New("no entityID, or one of more than 1024 bytes")
	}
	for e := role; e != nil; e = e.Parent() { // the lists around it count too
		if err := d.limits(e); err != nil {
			return nil, err
		}
	}
	if d.keys, err = signingKeys(role); err != nil {
		return nil, err
	}
	if d.sso, err = endpointsOf(role, "SingleSignOnService"); err != nil {
		return nil, err
	}
	if d.slo, err = endpointsOf(role, "SingleLogoutService"); err != nil {
		return nil, err
	}
	if len(d.sso) == 0 {
		return nil, errors.New("no SingleSignOnService over HTTP-Redirect or HTTP-POST")
	}
	return d, nil
}

// limits takes over for how long an element counts, if that is shorter.
func (d *description) limits(e *etree.Element) error {
	until, err := instant(e, "validUntil")
	if err != nil {
		return err
	}
	if !until.IsZero() && (d.until.IsZero() || until.Before(d.until)) {
		d.until = until
	}
	value := attribute(e, "cacheDuration")
	if value == "" {
		return nil
	}
	var cache crewjam.Duration
	if err := cache.UnmarshalText([]byte(value)); err != nil || cache < 0 {
		return errors.New("cacheDuration is no duration")
	}
	if d.cache == 0 || time.Duration(cache) < d.cache {
		d.cache = time.Duration(cache)
	}
	return nil
}

// maxKeys bounds the keys that a provider may sign with: each signature is tried with each.
const maxKeys = 8

// signingKeys are the certificates of the keys that a role signs with.
func signingKeys(role *etree.Element) ([]*x509.Certificate, error) {
	var keys []*x509.Certificate
	for _, k := range children(role, metadataNS, "KeyDescriptor") {
		if use := attribute(k, "use"); use != "" && use != "signing" {
			continue
		}
		info, err := one(k, signatureNS, "KeyInfo")
		if err != nil {
			return nil, err
		}
		for _, data := range children(info, signatureNS, "X509Data") {
			for _, e := range children(data, signatureNS, "X509Certificate") {
				c, err := certificateOf(e)
				if err != nil {
					return nil, err
				}
				keys = append(keys, c)
			}
		}
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("%d certificates that sign, want 1 to %d", len(keys), maxKeys)
	}
	return keys, nil
}

func certificateOf(e *etree.Element) (*x509.Certificate, error) {
	packed, err := text(e)
	if err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(withoutBlanks(packed))
	if err != nil {
		return nil, errors.New("a certificate is no Base64")
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("a certificate cannot be read")
	}
	return c, checkKey(c)
}

// endpointsOf are the addresses of a service, by the bindings that are spoken here.
func endpointsOf(role *etree.Element, service string) (endpoints, error) {
	found := endpoints{}
	for _, e := range children(role, metadataNS, service) {
		binding, location := attribute(e, "Binding"), attribute(e, "Location")
		if _, again := found[binding]; again || binding != redirectBinding && binding != postBinding {
			continue // the first one counts
		}
		answers := attribute(e, "ResponseLocation")
		if answers == "" {
			answers = location
		}
		if !mvpd.Trustworthy(location) || !mvpd.Trustworthy(answers) {
			return nil, fmt.Errorf("%s is no https URL", service)
		}
		found[binding] = endpoint{location, answers}
	}
	return found, nil
}
