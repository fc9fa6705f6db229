package saml_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"testing"

	"github.com/beevik/etree"

	"ssod/httpfront/mvpd/saml"
)

// FuzzAnswers: whatever becomes of an answer on its way, nobody but the viewer whom the
// provider named logs in with it.
func FuzzAnswers(f *testing.F) {
	c := connect(f)
	for _, make := range []func(*fixture) string{
		func(f *fixture) string { return write(f.answer()) }, wholeSigned, bothSigned("provider"), wrapping[0].make, wrapping[2].make, wrapping[5].make, wrapping[7].make,
	} {
		f.Add([]byte(make(c)))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		a, err := c.Receive(t.Context(), url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(message)}, "RelayState": {c.login.State}})
		if err != nil {
			return
		}
		who, err := c.Complete(t.Context(), c.login, a.Values)
		if err == nil && who.Subject != "viewer-1" {
			t.Errorf("%q logs in as %q", message, who.Subject)
		}
	})
}

// FuzzReader compares what the strict reader accepts with what encoding/xml reads of it.
func FuzzReader(f *testing.F) {
	for _, text := range []string{
		`<a xmlns="urn:a"/>`, `<a:b xmlns:a="urn:a" xmlns:c="urn:c" c:d="&lt;&#10;" e="x"><a:f xmlns:a="urn:b">t<![CDATA[<]]></a:f></a:b>`,
		`<a xmlns="urn:a" xml:lang="en"><b xmlns="urn:b"/> </a>`, metadata(parties()["provider"]),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := saml.ReadXML(data)
		if err != nil {
			return
		}
		var want []xml.Token
		flatten(root, &want)
		d := xml.NewDecoder(bytes.NewReader(data))
		for i := 0; ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				if i != len(want) {
					t.Fatalf("%q: it reads %d elements, encoding/xml %d", data, len(want), i)
				}
				return
			}
			if err != nil {
				t.Fatalf("%q: encoding/xml: %v", data, err)
			}
			if start, ok := token.(xml.StartElement); ok {
				if i == len(want) || want[i] != start.Name {
					t.Fatalf("%q: element %d is %v", data, i, start.Name)
				}
				i++
			}
		}
	})
}

// flatten lists the names of elements in their order.
func flatten(e *etree.Element, to *[]xml.Token) {
	*to = append(*to, xml.Name{Space: e.NamespaceURI(), Local: e.Tag})
	for _, child := range e.ChildElements() {
		flatten(child, to)
	}
}
