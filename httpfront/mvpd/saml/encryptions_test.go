package saml_test

import (
	"encoding/base64"

	"github.com/crewjam/saml/xmlenc"

	"ssod/httpfront/config"
)

// encryptions are attacks on whoever decrypts.
var encryptions = []attack{
	{name: "encrypted, and not signed", cause: "nothing is signed", twin: hides("service", true, xmlenc.OAEP(), xmlenc.AES256GCM), make: hides("service", false, xmlenc.OAEP(), xmlenc.AES256GCM)},
	{name: "encrypted for somebody else", cause: "no key of ours opens", twin: hides("service next", true, xmlenc.OAEP_SHA256(), xmlenc.AES128GCM), make: hides("mallory", true, xmlenc.OAEP(), xmlenc.AES256GCM)},
	{name: "encrypted with CBC", cause: "no key of ours opens", twin: hides("service", true, xmlenc.OAEP(), xmlenc.AES128GCM), make: hides("service", true, xmlenc.OAEP(), xmlenc.AES128CBC)},
	{name: "a key encrypted with RSA 1.5", cause: "no key of ours opens", twin: hides("service", true, xmlenc.OAEP(), xmlenc.AES128GCM), make: hides("service", true, xmlenc.PKCS1v15(), xmlenc.AES128GCM)},
	{name: "encrypted with Triple DES, where CBC is allowed", cause: "no key of ours opens", with: func(m *config.MVPD) { m.AllowCBC = true }, twin: hides("service", true, xmlenc.OAEP(), xmlenc.AES256CBC), make: hides("service", true, xmlenc.OAEP(), xmlenc.TripleDES)},
	{name: "encrypted with changes", cause: "no key of ours opens", twin: hides("service", true, xmlenc.OAEP(), xmlenc.AES256GCM), make: func(f *fixture) string {
		answer := parse(hides("service", true, xmlenc.OAEP(), xmlenc.AES256GCM)(f))
		value := answer.FindElement("./EncryptedAssertion/EncryptedData/CipherData/CipherValue")
		data, err := base64.StdEncoding.DecodeString(value.Text())
		if err != nil {
			f.t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		value.SetText(base64.StdEncoding.EncodeToString(data))
		return write(answer)
	}},
	{name: "an encrypted assertion next to a plain one", cause: "more than one assertion", twin: hides("service", true, xmlenc.OAEP(), xmlenc.AES256GCM), make: func(f *fixture) string {
		answer := f.answer()
		answer.AddChild(parse(hides("service", true, xmlenc.OAEP(), xmlenc.AES256GCM)(f)).SelectElement("EncryptedAssertion"))
		return write(answer)
	}},
	{name: "an encrypted entity bomb", cause: "a document type", twin: hides("service", true, xmlenc.OAEP(), xmlenc.AES256GCM), make: func(f *fixture) string {
		with := xmlenc.OAEP()
		with.BlockCipher = xmlenc.AES256GCM
		data, err := with.Encrypt(parties()["service"].certificate, []byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`), nil)
		if err != nil {
			f.t.Fatal(err)
		}
		e := parse(`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`)
		e.AddChild(data)
		return write(f.provider.signed(honest(f.requestID).response(e)))
	}},
	{name: "something else that was encrypted", cause: "more than one assertion", twin: hides("service", true, xmlenc.OAEP(), xmlenc.AES256GCM), make: func(f *fixture) string {
		s := honest(f.requestID)
		hidden := parties()["service"].encrypted(f.provider.signed(s.response(s.assertion.element())), "EncryptedAssertion", xmlenc.OAEP(), xmlenc.AES256GCM)
		return write(f.provider.signed(s.response(hidden)))
	}},
}

// hides makes an answer with an encrypted assertion.
func hides(for_ string, signed bool, with xmlenc.RSA, block xmlenc.BlockCipher) func(f *fixture) string {
	return func(f *fixture) string {
		s := honest(f.requestID)
		a := s.assertion.element()
		if signed {
			a = f.provider.signed(a)
		}
		return write(s.response(parties()[for_].encrypted(a, "EncryptedAssertion", with, block)))
	}
}
