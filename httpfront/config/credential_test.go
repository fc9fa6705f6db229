package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/config"
)

func asked(keys string) string {
	return realm(`mvpds: [{id: m, kind: oidc, issuer: "https://a.example", clientId: c, ` + keys + `}]`)
}

func TestMistakesOfACredential(t *testing.T) {
	const at, https = "4: realms[0].mvpds[0]", "authzURL: 'https://pdp.example', "
	for keys, want := range map[string]string{
		https + "authzTokenFile: t, authzCertFile: c, authzKeyFile: k":     "",
		"xacmlURL: 'https://pdp.example', authzTokenFile: t":               "",
		"authzURL: 'http://127.0.0.1/', authzTokenFile: t":                 "",
		"decision: authenticated, authzTokenFile: t":                       at + ".authzTokenFile: needs authzURL or xacmlURL: it is for nothing else",
		https + "authzCertFile: c":                                         at + ": has one of authzCertFile and authzKeyFile, which go together",
		"authzURL: 'http://127.0.0.1/', authzCertFile: c, authzKeyFile: k": at + ".authzCertFile: needs https: nobody asks for a certificate over http\n" + at + ".authzKeyFile: needs https: nobody asks for a certificate over http",
		"authzURL: 'http://pdp.example/', authzTokenFile: t":               at + ".authzURL: must be https: whoever is on the way could change the answer",
	} {
		_, err := config.Parse([]byte(asked(keys)), config.Options{})
		if got := text(err); got != want {
			t.Errorf("%s: got %s\nwant %s", keys, got, want)
		}
	}
	_, err := config.Parse([]byte(realm("mvpds: [{id: m, kind: sandbox, authzTokenFile: t}]")), config.Options{})
	if !strings.Contains(text(err), ".authzTokenFile: needs authzURL or xacmlURL") {
		t.Errorf("of a sandbox: %v", err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestFilesOfACredential are judged with the configuration, and what they hold is not quoted.
func TestFilesOfACredential(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ssod.yaml")
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("ssod.yaml", asked("authzURL: 'https://pdp.example', authzTokenFile: token, authzCertFile: cert, authzKeyFile: key"), 0o600)
	expired, _ := credential(t, -time.Hour)
	cert, key := credential(t, time.Hour)
	for _, tt := range []struct {
		token, cert, key, want, warning string
		mode                            os.FileMode
	}{
		{"s3cret", cert, key, "", "", 0o600},
		{"s3cret with blanks", cert, key, "authzTokenFile: " + filepath.Join(dir, "token") + ": not one line with a bearer token", "", 0o600},
		{"s3cret", cert, key, "authzTokenFile: " + filepath.Join(dir, "token") + ": others have access to it", "", 0o644},
		{"s3cret", expired, key, "authzCertFile and authzKeyFile cannot be used", "", 0o600},
		{"s3cret", "s3cret", key, "authzCertFile and authzKeyFile cannot be used", "", 0o600},
	} {
		write("token", tt.token, tt.mode)
		write("cert", tt.cert, 0o600)
		write("key", tt.key, 0o600)
		_, err := config.Load(config.Options{File: path})
		if got := text(err); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) || strings.Contains(got, "s3cret") {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	cert, key = credential(t, -time.Hour)
	write("token", "s3cret", 0o600)
	write("cert", cert, 0o600)
	write("key", key, 0o600)
	c, err := config.Load(config.Options{File: path})
	if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].String(), "the certificate of authzCertFile expired on") {
		t.Errorf("an expired certificate: %v, %v", c, err)
	}
}

// credential is a certificate that ends after a time, with its key, both PEM.
func credential(t *testing.T, left time.Duration) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(left)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}
