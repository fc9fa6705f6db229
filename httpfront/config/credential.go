package config

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"ssod/cluster/secretfile"
)

// AuthzToken is the bearer token for the decision point, as its file has it now; empty: none.
func (m *MVPD) AuthzToken() (string, error) {
	if m.AuthzTokenFile == "" {
		return "", nil
	}
	content, err := secretfile.Read(m.AuthzTokenFile)
	if err != nil {
		return "", err
	}
	lines := secretfile.Lines(content)
	if len(lines) != 1 || !bearerForm.MatchString(lines[0]) {
		return "", fmt.Errorf("%s: not one line with a bearer token", m.AuthzTokenFile)
	}
	return lines[0], nil
}

// bearerForm is a token as it can stand in a header; RFC 6750, 2.1.
var bearerForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// AuthzCertificate is the certificate for the decision point, as its files have it now.
func (m *MVPD) AuthzCertificate() (tls.Certificate, error) {
	return secretfile.KeyPair(m.AuthzCertFile, m.AuthzKeyFile)
}

// credential checks what the service is known by at a decision point.
func (k *checker) credential(key string, m MVPD) {
	for _, f := range [...]struct{ name, file string }{
		{"authzTokenFile", m.AuthzTokenFile}, {"authzCertFile", m.AuthzCertFile}, {"authzKeyFile", m.AuthzKeyFile},
	} {
		switch at := key + "." + f.name; {
		case f.file == "":
		case m.AuthzURL == "" && m.XACMLURL == "":
			k.mistake(at, "needs authzURL or xacmlURL: it is for nothing else")
		case f.name != "authzTokenFile" && isHTTP(m.AuthzURL+m.XACMLURL):
			k.mistake(at, "needs https: nobody asks for a certificate over http")
		}
	}
	if (m.AuthzCertFile == "") != (m.AuthzKeyFile == "") {
		k.mistake(key, "has one of authzCertFile and authzKeyFile, which go together")
	}
}

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "http"
}

// credentialFiles checks the files that are named.
func (k *checker) credentialFiles(key string, m MVPD) {
	k.private(key+".authzTokenFile", m.AuthzTokenFile)
	k.private(key+".authzKeyFile", m.AuthzKeyFile)
	k.readable(key+".authzCertFile", m.AuthzCertFile)
	if m.AuthzTokenFile != "" {
		usable(k, key+".authzTokenFile", m, MVPD.usableToken)
	}
	if m.AuthzCertFile != "" && m.AuthzKeyFile != "" {
		usable(k, key, m, MVPD.usableCertificate)
	}
}

func (m MVPD) usableToken() (warning string, err error) {
	_, err = m.AuthzToken()
	return "", err
}

func (m MVPD) usableCertificate() (warning string, err error) {
	pair, err := m.AuthzCertificate()
	if err != nil {
		return "", fmt.Errorf("authzCertFile and authzKeyFile cannot be used: %w", err)
	}
	if end := pair.Leaf.NotAfter; time.Now().After(end) {
		warning = fmt.Sprintf("the certificate of authzCertFile expired on %s", end.UTC().Format(time.DateOnly))
	}
	return warning, nil
}
