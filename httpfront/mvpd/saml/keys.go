package saml

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"ssod/cluster/secretfile"
	"ssod/httpfront/config"
)

// pair is a key of ours and its certificate.
type pair struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

// pairs are the keys of one integration. The first one signs; all decrypt, and metadata
// has all of their certificates.
type pairs []pair

// keyFiles are the files that the pairs of a provider come from.
func keyFiles(m *config.MVPD) []string {
	files := []string{m.KeyFile, m.CertFile}
	if m.NextKeyFile != "" {
		files = append(files, m.NextKeyFile, m.NextCertFile)
	}
	return files
}

func readPairs(files []string) (pairs, error) {
	var all pairs
	for i := 0; i+1 < len(files); i += 2 {
		p, err := readPair(files[i], files[i+1])
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func readPair(keyFile, certFile string) (pair, error) {
	key, err := ReadKey(keyFile)
	if err != nil {
		return pair{}, err
	}
	certificates, err := ReadCertificates(certFile)
	if err != nil {
		return pair{}, err
	}
	if !key.PublicKey.Equal(certificates[0].PublicKey) {
		return pair{}, fmt.Errorf("%s is not the certificate of %s", certFile, keyFile)
	}
	return pair{key, certificates[0]}, nil
}

// decrypter opens with each of the keys.
func (p pairs) decrypter(cbc bool) decrypter {
	d := decrypter{cbc: cbc}
	for _, each := range p {
		d.keys = append(d.keys, each.key)
	}
	return d
}

// ReadKey reads an RSA key from a private PEM file, PKCS #8 or PKCS #1. Errors never quote
// the file.
func ReadKey(path string) (*rsa.PrivateKey, error) {
	data, err := secretfile.Read(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM", path)
	}
	key, err := parseKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func parseKey(der []byte) (*rsa.PrivateKey, error) {
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		var any any
		if any, err = x509.ParsePKCS8PrivateKey(der); err != nil {
			return nil, errors.New("no private key in PKCS #8 or PKCS #1")
		}
		var ok bool
		if key, ok = any.(*rsa.PrivateKey); !ok {
			return nil, errors.New("no RSA key: providers encrypt for RSA")
		}
	}
	if key.N.BitLen() < minRSA {
		return nil, fmt.Errorf("an RSA key of %d bits, fewer than %d", key.N.BitLen(), minRSA)
	}
	return key, nil
}

// ReadCertificates reads the certificates of a PEM file, one at least.
func ReadCertificates(path string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(bytes.TrimSpace(data)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err == nil {
			err = checkKey(c)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no certificate", path)
	}
	return all, nil
}
