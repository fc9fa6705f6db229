package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestFlagsThatDoNotFitAreRefused before anything starts.
func TestFlagsThatDoNotFitAreRefused(t *testing.T) {
	older := t.TempDir()
	const node = "run --http 127.0.0.1:8080 --admin 127.0.0.1:8081 --provider bench"
	for args, want := range map[string]string{
		node:                        "",
		"run":                       "",
		"":                          "",
		"run --http 127.0.0.1:8080": "--admin and --provider",
		"run --http 127.0.0.1:8080 --admin 127.0.0.1:8081": "--admin and --provider",
		"run --admin 127.0.0.1:8081":                       "need --http",
		"run --provider bench":                             "need --http",
		node + " --http https://localhost":                 "is a URL",
		node + " --admin http://[::1]:81":                  "is a URL",
		node + " --admin localhost":                        "not host:port",
		"cluster":                                          "",
		"cluster --only refresh":                           "--against",
		"cluster --only mint --against " + older:           "",
		"cluster --only speling --against " + older:        "speling",
		"marks --only durable --against " + older:          "durable",
		"marks --only hop,mint --against " + older:         "",
	} {
		parser, err := kong.New(&cli{}, kong.Name("ssobench"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse(strings.Fields(args))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: got %v, want no error", args, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want an error with %q", args, err, want)
		}
	}
}

// TestAStartNeedsData: without, an empty service would be founded and its start pass.
func TestAStartNeedsData(t *testing.T) {
	dir := t.TempDir()
	for _, made := range []string{"good/data/store", "itself/store", "empty", "half/data"} {
		if err := os.MkdirAll(filepath.Join(dir, made), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"good": "", "itself": "itself", "empty": "no data directory", "half": "no data directory"} {
		if err := checkData(filepath.Join(dir, name)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, want)
		}
	}
	c := &startCommand{Ssod: "no-program", Dir: filepath.Join(dir, "empty"), Times: 1}
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no data directory") {
		t.Errorf("start of an empty directory: got %v", err)
	}
	if left, err := os.ReadDir(c.Dir); err != nil || len(left) > 0 {
		t.Errorf("the refused directory has %v, %v, want nothing in it", left, err)
	}
}

// TestARunningNodeHasARealmPerProvider: the report says so.
func TestARunningNodeHasARealmPerProvider(t *testing.T) {
	b := &bench{rows: newRows(), runCommand: &runCommand{HTTP: "localhost:1", Admin: "localhost:2", Provider: []string{"a", "b"}, Realms: 4}}
	if _, _, err := b.startService(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := b.report().Realms; got != 2 {
		t.Errorf("got %d realms, want 2", got)
	}
}
