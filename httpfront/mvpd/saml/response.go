package saml

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/beevik/etree"

	"ssod/httpfront/mvpd"
)

// maxAge is how old an answer may be. Providers issue one when it is sent.
const maxAge = 10 * time.Minute

// Receive implements [mvpd.Receiver]: the HTTP-POST binding and the web browser SSO profile
// (SAML Profiles 2.0, 4.1.4), but for whose browser it is.
func (c *Connector) Receive(ctx context.Context, form url.Values) (mvpd.Answer, error) {
	o, err := c.ready(ctx)
	if err != nil {
		return mvpd.Answer{}, err
	}
	root, state, err := posted(form, responseParameter)
	if err != nil {
		return mvpd.Answer{}, invalid(err)
	}
	v, err := o.judge(root)
	if errors.Is(err, errSignature) && c.source.hurry(ctx) { // its keys may have changed
		if o, err = c.ready(ctx); err != nil {
			return mvpd.Answer{}, err
		}
		v, err = o.judge(root)
	}
	if err != nil {
		return mvpd.Answer{}, invalid(err)
	}
	return v.answer(state)
}

// posted reads a message of the HTTP-POST binding; SAML Bindings 2.0, 3.5.4.
func posted(form url.Values, parameter string) (root *etree.Element, state string, err error) {
	if len(form[parameter]) != 1 {
		return nil, "", fmt.Errorf("%d parameters %s, want 1", len(form[parameter]), parameter)
	}
	if len(form[stateParameter]) > 1 {
		return nil, "", errState
	}
	data, err := base64.StdEncoding.DecodeString(withoutBlanks(form.Get(parameter)))
	if err != nil {
		return nil, "", errors.New("a message that is no Base64")
	}
	root, err = readXML(data, message)
	return root, form.Get(stateParameter), err
}

// judge finds out what a response says. Whatever is believed was signed.
func (o *ours) judge(root *etree.Element) (*verdict, error) {
	if !is(root, protocolNS, "Response") {
		return nil, errors.New("no Response")
	}
	if err := checkPlaces(root); err != nil {
		return nil, err
	}
	signed := len(children(root, signatureNS, "Signature")) > 0
	if signed {
		var err error
		if root, err = verify(root, o.description.keys, message); err != nil {
			return nil, err
		}
	}
	if err := o.checkMessage(root, o.consumerURL()); err != nil {
		return nil, err
	}
	status, err := statusOf(root)
	if err != nil {
		return nil, err
	}
	to := attribute(root, "InResponseTo")
	if to == "" {
		return nil, errors.New("an answer that nobody asked for")
	}
	if status[0] != statusSuccess {
		if count(root, assertionNS, "Assertion", "EncryptedAssertion") > 0 {
			return nil, errors.New("a failure with an assertion")
		}
		return &verdict{InResponseTo: to, Status: status}, nil
	}
	assertion, err := o.assertion(root, signed)
	if err != nil {
		return nil, err
	}
	v, err := o.judgeAssertion(assertion, to)
	if err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	return v, nil
}

// checkPlaces refuses signatures and assertions in other places than they have in an answer,
// where some reader could take them for others.
func checkPlaces(root *etree.Element) error {
	assertions := children(root, assertionNS, "Assertion")
	direct := len(assertions) + len(children(root, assertionNS, "EncryptedAssertion"))
	if direct > 1 || count(root, assertionNS, "Assertion", "EncryptedAssertion") != direct {
		return errors.New("more than one assertion")
	}
	signatures := len(children(root, signatureNS, "Signature"))
	for _, a := range assertions {
		signatures += len(children(a, signatureNS, "Signature"))
	}
	if count(root, signatureNS, "Signature") != signatures || count(root, protocolNS, "Response") != 1 {
		return errors.New("a signature or a response where none belongs")
	}
	return nil
}

// checkMessage checks what all messages of the provider have: version, ID, where they go,
// from whom and when.
func (o *ours) checkMessage(m *etree.Element, to string) error {
	if err := identified(m); err != nil {
		return err
	}
	if attribute(m, "Destination") != to {
		return errors.New("a message for another place (Destination)")
	}
	if err := o.checkIssuer(m, false); err != nil {
		return err
	}
	_, err := o.issued(m)
	return err
}

// checkIssuer compares who issued something with the provider.
func (o *ours) checkIssuer(e *etree.Element, required bool) error {
	issuer, err := atMostOne(e, assertionNS, "Issuer")
	if err != nil || issuer == nil {
		if err == nil && required {
			err = errors.New("no Issuer")
		}
		return err
	}
	name, err := token(issuer)
	if err != nil {
		return err
	}
	format := attribute(issuer, "Format")
	if name != o.issuer || format != "" && format != entityFormat {
		return errors.New("another Issuer than the provider")
	}
	return nil
}

// issued is when something was issued: now or a moment ago.
func (o *ours) issued(e *etree.Element) (time.Time, error) {
	at, err := instant(e, "IssueInstant")
	now := o.now()
	switch {
	case err != nil:
		return at, err
	case at.Before(now.Add(-maxAge - skew)):
		return at, fmt.Errorf("%s is too old (IssueInstant), or has no time", e.Tag)
	case at.After(now.Add(skew)):
		return at, fmt.Errorf("%s is from the future (IssueInstant)", e.Tag)
	}
	return at, nil
}

// statusOf are the codes of a status, from the first level down; one at least.
func statusOf(m *etree.Element) ([]string, error) {
	status, err := one(m, protocolNS, "Status")
	if err != nil {
		return nil, err
	}
	var codes []string
	for e := status; len(codes) < 4; {
		code, err := atMostOne(e, protocolNS, "StatusCode")
		if err != nil {
			return nil, err
		}
		if code == nil {
			break
		}
		codes = append(codes, attribute(code, "Value"))
		e = code
	}
	if len(codes) == 0 {
		return nil, errors.New("no StatusCode")
	}
	return codes, nil
}

// assertion finds the assertion of an answer, which must be signed itself or in the signed
// answer. Where it has a signature of its own, that must be good.
func (o *ours) assertion(root *etree.Element, signed bool) (*etree.Element, error) {
	a, err := atMostOne(root, assertionNS, "Assertion")
	if err != nil {
		return nil, err
	}
	if a == nil {
		encrypted, err := one(root, assertionNS, "EncryptedAssertion")
		if err != nil {
			return nil, err
		}
		if a, err = o.pairs.decrypter(o.config.AllowCBC).open(encrypted); err != nil {
			return nil, err
		}
	}
	if !is(a, assertionNS, "Assertion") || count(a, assertionNS, "Assertion", "EncryptedAssertion") != 1 {
		return nil, errors.New("more than one assertion")
	}
	own := count(a, signatureNS, "Signature")
	switch {
	case own != len(children(a, signatureNS, "Signature")) || own > 1:
		return nil, errors.New("a signature where none belongs")
	case own == 1:
		return verify(a, o.description.keys, message)
	case !signed:
		return nil, errors.New("nothing is signed")
	}
	return a, nil
}
