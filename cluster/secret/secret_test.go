package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"ssod/cluster/secret"
)

// key is a key that is easy to tell from others.
func key(b byte) secret.Key { return secret.Key(bytes.Repeat([]byte{b}, len(secret.Key{}))) }

func TestKeysAreParsed(t *testing.T) {
	one, two := key(1), key(2)
	b1, b2 := base64.StdEncoding.EncodeToString(one[:]), base64.StdEncoding.EncodeToString(two[:])
	for name, tt := range map[string]struct {
		file string
		want []secret.Key
		err  string
	}{
		"one":           {b1, []secret.Key{one}, ""},
		"two":           {"# proves\n" + b1 + "\n\n " + b2 + "\r\n", []secret.Key{one, two}, ""},
		"none":          {"# nothing\n", nil, "no key"},
		"empty":         {"", nil, "no key"},
		"a short key":   {b1 + "\n" + b1[:20], nil, "line 2"},
		"not base64":    {"secret secret", nil, "line 1"},
		"too many keys": {strings.Repeat(b1+"\n", 9), nil, "more than 8"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := secret.Parse([]byte(tt.file))
			if tt.err != "" && (!errors.Is(err, secret.ErrKeys) || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if err != nil && (strings.Contains(err.Error(), "secret secret") || strings.Contains(err.Error(), b1[:10])) {
				t.Errorf("the error shows the key: %v", err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %d keys, want %d", len(got), len(tt.want))
			}
		})
	}
}

func TestAKeyDoesNotPrint(t *testing.T) {
	k := key('k')
	ring, err := secret.NewRing(k)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k, "ring", ring, "keys", []secret.Key{k})
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %v", k, k, k, []secret.Key{k}, ring), fmt.Sprintf("%#v", ring), log.String()} {
		if strings.Contains(text, "kkk") || strings.Contains(text, "107") || strings.Contains(text, "0x6b") {
			t.Errorf("it prints as %s", text)
		}
	}
}

// TestKeysAreDerived: each use has keys of its own, in the order of the secret's,
// and the same ones in every version of this program.
func TestKeysAreDerived(t *testing.T) {
	ring, err := secret.NewRing(key(1), key(2))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[secret.Key]bool{key(1): true, key(2): true}
	for _, use := range []secret.Use{secret.Gossip, secret.Raft, secret.RPC, secret.Sealing} {
		keys := ring.For(use)
		if len(keys) != 2 {
			t.Fatalf("%s: got %d keys, want 2", use, len(keys))
		}
		for _, k := range keys {
			if seen[k] {
				t.Errorf("%s: the key is used for something else", use)
			}
			seen[k] = true
		}
	}
	first := ring.For(secret.Raft)[0]
	const want = "8481f43c81fb8f0acd76455fa7bf978abcffa2180a456b2f6671c9d3c437f2ac" // RFC 5869 by hand
	if got := hex.EncodeToString(first[:]); got != want {
		t.Errorf("raft: got %s, want %s", got, want)
	}
}

func TestKeysAreChanged(t *testing.T) {
	ring, err := secret.NewRing(key(1))
	if err != nil {
		t.Fatal(err)
	}
	old := ring.For(secret.Raft)[0]
	given := []secret.Key{key(2), key(1)}
	if err := ring.Set(given); err != nil {
		t.Fatal(err)
	}
	given[1] = key(3) // it is the caller's
	if got := ring.For(secret.Raft); len(got) != 2 || got[0] == old || got[1] != old {
		t.Error("the new key does not come first, or the old one is not second")
	}
	for _, bad := range [][]secret.Key{nil, make([]secret.Key, 9)} {
		if err := ring.Set(bad); !errors.Is(err, secret.ErrKeys) {
			t.Errorf("%d keys: got %v, want %v", len(bad), err, secret.ErrKeys)
		}
	}
	if got := ring.For(secret.Raft); len(got) != 2 || got[1] != old {
		t.Error("keys that are refused change the ring")
	}
	if _, err := secret.NewRing(); !errors.Is(err, secret.ErrKeys) {
		t.Errorf("a ring of no keys: got %v, want %v", err, secret.ErrKeys)
	}
}
