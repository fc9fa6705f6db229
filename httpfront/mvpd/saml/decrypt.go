package saml

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"
)

// keyAlgorithms carry the key of encrypted data to us. RSA 1.5 is not among them: who may
// ask often enough whether such a key is well-formed learns what it is.
var keyAlgorithms = []string{encryptNS + "rsa-oaep-mgf1p", encrypt11NS + "rsa-oaep"}

// dataAlgorithms encrypt so that a change is noticed. Without that, who may ask often
// enough whether changed data is well-formed learns what it says: [cbcAlgorithms].
var (
	dataAlgorithms = []string{encrypt11NS + "aes128-gcm", encrypt11NS + "aes192-gcm", encrypt11NS + "aes256-gcm"}
	cbcAlgorithms  = []string{encryptNS + "aes128-cbc", encryptNS + "aes192-cbc", encryptNS + "aes256-cbc"}
)

// maxRecipients is for how many keys the key of one piece of data may be encrypted.
const maxRecipients = 4

// errDecrypt is all that is told of data that cannot be decrypted.
var errDecrypt = errors.New("encrypted data that no key of ours opens, or whose algorithms are not accepted")

// decrypter opens what was encrypted for us.
type decrypter struct {
	keys []*rsa.PrivateKey
	cbc  bool // data may be in CBC mode
}

// open decrypts an EncryptedAssertion or an EncryptedID, and reads the element in it.
func (d decrypter) open(e *etree.Element) (*etree.Element, error) {
	data, err := one(e, encryptNS, "EncryptedData")
	if err != nil {
		return nil, err
	}
	encrypted, err := d.encryptedData(data)
	if err != nil {
		return nil, err
	}
	recipients := children(e, encryptNS, "EncryptedKey") // beside the data, or in it
	for _, info := range children(data, signatureNS, "KeyInfo") {
		recipients = append(recipients, children(info, encryptNS, "EncryptedKey")...)
	}
	if len(recipients) > maxRecipients {
		return nil, errDecrypt
	}
	for _, recipient := range recipients {
		wrapped, err := encryptedKey(recipient)
		if err != nil {
			continue
		}
		for _, key := range d.keys {
			if plain, err := unwrap(encrypted, wrapped, key); err == nil {
				return readXML(plain, message)
			}
		}
	}
	return nil, errDecrypt
}

// unwrap decrypts data with a key that is encrypted for us.
func unwrap(data, wrapped *etree.Element, with *rsa.PrivateKey) ([]byte, error) {
	key, err := xmlenc.Decrypt(with, wrapped)
	if err != nil {
		return nil, err
	}
	return xmlenc.Decrypt(key, data)
}

// encryptedData is the data alone, for the library: what it sees is what was checked.
func (d decrypter) encryptedData(from *etree.Element) (*etree.Element, error) {
	allowed := dataAlgorithms
	if d.cbc {
		allowed = slices.Concat(dataAlgorithms, cbcAlgorithms)
	}
	method, err := one(from, encryptNS, "EncryptionMethod")
	if err != nil || !slices.Contains(allowed, attribute(method, "Algorithm")) {
		return nil, errDecrypt
	}
	return encrypted("EncryptedData", from, attribute(method, "Algorithm"))
}

// encryptedKey is a key alone, with the parameters of RSA-OAEP.
func encryptedKey(from *etree.Element) (*etree.Element, error) {
	method, err := one(from, encryptNS, "EncryptionMethod")
	if err != nil || !slices.Contains(keyAlgorithms, attribute(method, "Algorithm")) {
		return nil, errDecrypt
	}
	key, err := encrypted("EncryptedKey", from, attribute(method, "Algorithm"))
	if err != nil {
		return nil, err
	}
	for _, parameter := range method.ChildElements() {
		switch {
		case is(parameter, signatureNS, "DigestMethod"), is(parameter, encrypt11NS, "MGF"):
			key.SelectElement("EncryptionMethod").CreateElement(parameter.Tag).CreateAttr("Algorithm", attribute(parameter, "Algorithm"))
		default:
			return nil, errDecrypt
		}
	}
	return key, nil
}

// encrypted makes an element with an algorithm and the cipher value of another one.
func encrypted(tag string, from *etree.Element, algorithm string) (*etree.Element, error) {
	data, err := one(from, encryptNS, "CipherData")
	if err != nil {
		return nil, errDecrypt
	}
	value, err := one(data, encryptNS, "CipherValue")
	if err != nil {
		return nil, errDecrypt
	}
	packed, err := text(value)
	if err != nil {
		return nil, errDecrypt
	}
	packed = withoutBlanks(packed)
	if _, err := base64.StdEncoding.DecodeString(packed); err != nil {
		return nil, errDecrypt
	}
	e := etree.NewElement(tag)
	e.CreateElement("EncryptionMethod").CreateAttr("Algorithm", algorithm)
	e.CreateElement("CipherData").CreateElement("CipherValue").SetText(packed)
	return e, nil
}
