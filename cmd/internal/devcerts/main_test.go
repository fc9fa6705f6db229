package main

import (
	"os"
	"path/filepath"
	"testing"

	"ssod/cluster/secret"
	"ssod/cluster/transport"
)

// credentials are those of a node, as the node loads them.
func credentials(dir, node string) error {
	_, err := transport.LoadCredentials(transport.Files{
		Cert: filepath.Join(dir, node+".pem"), Key: filepath.Join(dir, node+".key"), CA: filepath.Join(dir, "ca.pem"),
	}, node)
	return err
}

func TestNodesTakeTheCertificates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	if err := run(dir, []string{"n1", "n2"}); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is for others to read: %v, %v", name, info.Mode(), err)
		}
		return string(b)
	}
	ca, keys := read("ca.pem"), read("cluster.secret")
	if _, err := secret.Parse([]byte(keys)); err != nil {
		t.Error(err)
	}
	if err := run(dir, []string{"n3"}); err != nil { // one more, later
		t.Fatal(err)
	}
	for _, node := range []string{"n1", "n2", "n3"} {
		if err := credentials(dir, node); err != nil {
			t.Errorf("%s: %v", node, err)
		}
	}
	if read("ca.pem") != ca || read("cluster.secret") != keys {
		t.Error("another node brought another authority or secret")
	}
}

func TestOtherNamesAreRefused(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"", "N1", "../n1", "n1.example", "ca"} {
		if err := run(dir, []string{name}); err == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("something was written: %v", entries)
	}
}
