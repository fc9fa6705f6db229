package keyurl

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"

	"ssod/httpfront/token/jose"
)

func TestBadDocumentsChangeNothing(t *testing.T) {
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good, err := json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{{Key: &pair.PublicKey, KeyID: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	changes := 0
	keys := Published(Options{}, []string{jose.RS256}, func() { changes++ })
	hasKey := func() bool {
		found := keys.choose(func(k *jose.Key) bool { return k.ID == "a" })
		return len(found) == 1 && pair.PublicKey.Equal(found[0].Material)
	}
	for range 2 { // the second time nothing is new
		if _, err := keys.source.Take(good); err != nil || !hasKey() || changes != 1 {
			t.Fatalf("good document: %v, %d changes", err, changes)
		}
	}
	for name, document := range map[string]string{
		"nothing": "", "no JSON": "<html>", "no keys": `{"keys":[]}`, "duplicates": `{"keys":[],"keys":[]}`,
	} {
		if _, err := keys.source.Take([]byte(document)); err == nil || !hasKey() || changes != 1 {
			t.Errorf("%s: %v, or the keys are gone", name, err)
		}
	}
}

func TestKeysOfAFileAreNotFetched(t *testing.T) {
	keys := Fixed([]jose.Key{{ID: "a"}})
	keys.Start()
	defer keys.Stop()
	if found := keys.Find(func(k *jose.Key) bool { return k.ID == "b" }); found != nil || keys.Silent() {
		t.Errorf("got %v, silent %v", found, keys.Silent())
	}
}
