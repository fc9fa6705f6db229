package db

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

func TestKeysAreNotPrinted(t *testing.T) {
	k := layout.Salt("cluster").AppendHeadKey(nil, 1, data.Entity{Kind: "profile", Identity: "secret viewer"})
	if got, want := fmt.Sprint(comparer().FormatKey(k)), "03000165+26"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := fmt.Sprint(comparer().FormatKey(k[:2])), "0300+0"; got != want {
		t.Errorf("short key: got %q, want %q", got, want)
	}
}

func TestPebbleLogs(t *testing.T) {
	var out bytes.Buffer
	var failed error
	l := &logger{log: slog.New(slog.NewTextHandler(&out, nil)), fail: func(err error) { failed = err }}
	l.Infof("daily work")
	l.Errorf("bad thing %d", 1)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Fatalf returns")
			}
		}()
		l.Fatalf("worse thing %d", 2)
	}()
	if got := out.String(); strings.Contains(got, "daily") || !strings.Contains(got, "bad thing 1") {
		t.Errorf("log: got %q", got)
	}
	if failed == nil || !strings.Contains(failed.Error(), "worse thing 2") {
		t.Errorf("failure: got %v", failed)
	}
}
