package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"ssod/httpfront/mvpd"
)

// sign puts a signature where the schema has it: after the issuer, or in front of all else.
func (p pair) sign(e *etree.Element) (*etree.Element, error) {
	c, err := dsig.NewSigningContext(p.key, [][]byte{p.certificate.Raw})
	if err != nil {
		return nil, err
	}
	c.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := c.ConstructSignature(e.Copy(), true)
	if err != nil {
		return nil, err
	}
	signed := e.Copy()
	at := 0
	if first := signed.ChildElements(); len(first) > 0 && is(first[0], assertionNS, "Issuer") {
		at = first[0].Index() + 1
	}
	signed.InsertChildAt(at, signature)
	return signed, nil
}

// The parameters of the bindings; SAML Bindings 2.0, 3.4.4 and 3.5.4.
const (
	requestParameter  = "SAMLRequest"
	responseParameter = "SAMLResponse"
	stateParameter    = "RelayState"
	methodParameter   = "SigAlg"
	signParameter     = "Signature"
)

// redirect is the URL that carries a message over HTTP-Redirect, signed.
func (p pair) redirect(to, parameter string, m *etree.Element, state string) (string, error) {
	data, err := writeXML(m)
	if err != nil {
		return "", err
	}
	packed, err := deflate(data)
	if err != nil {
		return "", err
	}
	query := parameter + "=" + url.QueryEscape(packed)
	if state != "" {
		query += "&" + stateParameter + "=" + url.QueryEscape(state)
	}
	query += "&" + methodParameter + "=" + url.QueryEscape(dsig.RSASHA256SignatureMethod)
	sum := sha256.Sum256([]byte(query))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	query += "&" + signParameter + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
	if strings.Contains(to, "?") {
		return to + "&" + query, nil
	}
	return to + "?" + query, nil
}

// post is the form that carries a message over HTTP-POST, signed; SAML Bindings 2.0, 3.5.
func (p pair) post(to, parameter string, m *etree.Element, state string) (*mvpd.Form, error) {
	signed, err := p.sign(m)
	if err != nil {
		return nil, err
	}
	data, err := writeXML(signed)
	if err != nil {
		return nil, err
	}
	f := &mvpd.Form{To: to, Fields: []mvpd.Field{{Name: parameter, Value: base64.StdEncoding.EncodeToString(data)}}}
	if state != "" {
		f.Fields = append(f.Fields, mvpd.Field{Name: stateParameter, Value: state})
	}
	return f, nil
}

// send is how a browser carries a message, made for an address, to a service of the provider
// in a binding that it has; the zero Step if it has none.
func (o *ours) send(service endpoints, parameter, state string, message func(to string) *etree.Element) (mvpd.Step, error) {
	if at, ok := service[redirectBinding]; ok {
		to := at.place(parameter)
		signed, err := o.pairs[0].redirect(to, parameter, message(to), state)
		return mvpd.Step{URL: signed}, err
	}
	at, ok := service[postBinding]
	if !ok {
		return mvpd.Step{}, nil
	}
	to := at.place(parameter)
	form, err := o.pairs[0].post(to, parameter, message(to), state)
	return mvpd.Step{Form: form}, err
}

func deflate(data []byte) (string, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(data); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// inflate unpacks a message of HTTP-Redirect. It stops at the bound of documents, since a
// few bytes can stand for a thousand times as many.
func inflate(packed string) ([]byte, error) {
	compressed, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return nil, errors.New("a message that is no Base64")
	}
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(compressed)), maxDocument+1))
	if err != nil {
		return nil, errors.New("a message that is not deflated")
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("a message of more than %d bytes", maxDocument)
	}
	return data, nil
}
