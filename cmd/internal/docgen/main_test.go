package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssod/httpfront/api/apidoc/render"
)

// TestDrift: what is written passes, and a file that was changed, is missing or
// is not one of the pages does not.
func TestDrift(t *testing.T) {
	files := render.Files{"a.html": []byte("a"), "b.html": []byte("b")}
	for name, change := range map[string]func(dir string) error{
		"":       func(string) error { return nil },
		"a.html": func(dir string) error { return os.WriteFile(filepath.Join(dir, "a.html"), []byte("x"), 0o600) },
		"b.html": func(dir string) error { return os.Remove(filepath.Join(dir, "b.html")) },
		"c.html": func(dir string) error { return os.WriteFile(filepath.Join(dir, "c.html"), nil, 0o600) },
	} {
		dir := t.TempDir()
		for range 2 { // the second time over what is there
			if err := write(dir, files); err != nil {
				t.Fatal(err)
			}
			if err := compare(dir, files); err != nil {
				t.Errorf("after a change of %q and another write: %v", name, err)
			}
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			if err := compare(dir, files); (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), name) {
				t.Errorf("a change of %q: got %v", name, err)
			}
		}
	}
}
