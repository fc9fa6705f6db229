package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssod/httpfront/config"
)

// dish is a realm with one SAML provider.
func dish(keys string) string {
	return realm("mvpds: [{id: m, kind: saml, decision: authenticated, " + keys + "}]")
}

const samlFiles = "metadataFile: idp.xml, keyFile: sp.key, certFile: sp.crt"

func TestMistakesOfASAMLProvider(t *testing.T) {
	at := "4: realms[0].mvpds[0]"
	tests := []struct{ name, file, want string }{
		{"nothing", realm("mvpds: [{id: m, kind: saml, decision: authenticated}]"), at + ".keyFile: is missing\n" + at + ".certFile: is missing\n" + at + ": must have exactly one of metadataFile and metadataURL"},
		{"no metadata", dish("keyFile: a, certFile: b"), at + ": must have exactly one of metadataFile and metadataURL"},
		{"metadata twice", dish(samlFiles + ", metadataURL: 'https://a.example'"), at + ": must have exactly one of metadataFile and metadataURL"},
		{"metadata on the way", dish("metadataURL: 'http://a.example', keyFile: a, certFile: b"), at + ".metadataURL: must be https, or the metadata be signed (metadataCertFile): whoever is on the way could change the answer"},
		{"metadata at no URL", dish("metadataURL: 'a', keyFile: a, certFile: b"), at + ".metadataURL: is not an http or https URL with a host"},
		{"no key", dish("metadataFile: a, certFile: b"), at + ".keyFile: is missing"},
		{"no certificate", dish("metadataFile: a, keyFile: b"), at + ".certFile: is missing"},
		{"half a pair", dish(samlFiles + ", nextKeyFile: a"), at + ": has one of nextKeyFile and nextCertFile, which go together"},
		{"entity id", dish(samlFiles + ", entityId: 'a b'"), at + ".entityId: is not a URI of at most 1024 characters"},
		{"entity id of the provider", dish(samlFiles + ", providerEntityId: 'a b'"), at + ".providerEntityId: is not a URI of at most 1024 characters"},
		{"attribute", dish(samlFiles + ", attributes: {zip: ''}"), at + ".attributes.zip: is missing"},
		{"key of another kind", realm("mvpds: [{id: m, kind: sandbox, allowCBC: true}]"), at + ".allowCBC: is a key of kind saml"},
	}
	for _, tt := range tests {
		if _, err := config.Parse([]byte(tt.file), config.Options{}); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v\nwant %s", tt.name, err, tt.want)
		}
	}
	for _, keys := range []string{samlFiles, "metadataURL: 'http://127.0.0.1/idp', keyFile: a, certFile: b", "metadataURL: 'http://a.example', metadataCertFile: c, keyFile: a, certFile: b"} {
		if _, err := config.Parse([]byte(dish(keys)), config.Options{}); err != nil {
			t.Errorf("%s: %v", keys, err)
		}
	}
}

// TestFilesOfASAMLProvider are read below the directory of the configuration.
func TestFilesOfASAMLProvider(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ssod.yaml")
	for name, text := range map[string]string{"ssod.yaml": dish(samlFiles), "idp.xml": "", "sp.crt": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	judged := false
	load := func() error {
		_, err := config.Load(config.Options{File: path, CheckSAML: func(m config.MVPD) (string, error) {
			judged = m.KeyFile == filepath.Join(dir, "sp.key")
			return "", nil
		}})
		return err
	}
	if err := load(); err == nil || !strings.Contains(err.Error(), "mvpds[0].keyFile: stat") || judged {
		t.Errorf("without a key: %v, judged %v", err, judged)
	}
	if err := os.WriteFile(filepath.Join(dir, "sp.key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := load(); err != nil || !judged {
		t.Errorf("got %v, judged %v", err, judged)
	}
	if err := os.Chmod(filepath.Join(dir, "sp.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := load(); err == nil || !strings.Contains(err.Error(), "others have access to it") {
		t.Errorf("a key that others can read: %v", err)
	}
}
