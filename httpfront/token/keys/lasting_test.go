package keys

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"
)

// smallRSA lets rings make RSA keys that take no time.
func smallRSA(t *testing.T) {
	generateRSA = func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 1024) }
	t.Cleanup(func() { generateRSA = pooledRSA })
}

// TestTheSixtyFourthRotationIsNotTheLast: every use is rotated once a month for years,
// and client keys, which verify for ever, as often in a row. What was signed and derived
// at the beginning and is good for ever still is.
func TestTheSixtyFourthRotationIsNotTheLast(t *testing.T) {
	smallRSA(t)
	const rotations = 70
	f := newFixture(t, configuration(realm("acme", HS256)))
	statement, err := f.SignStatement([]byte(`{"jti":"x"}`), begin)
	if err != nil {
		t.Fatal(err)
	}
	version, err := f.ClientVersion(begin)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := f.ClientSecret(version, "client")
	for n := range rotations {
		f.at(begin.Add(time.Duration(n+1) * 30 * 24 * time.Hour))
		f.rotate(Rotation{})
		token, err := f.SignService(f.realm(), Member{Subject: "viewer"}, f.time())
		if err == nil {
			err = f.verify(f.realm(), token.Token)
		}
		if err != nil {
			t.Fatalf("after rotation %d: %v", n+1, err)
		}
	}
	for range rotations {
		f.rotate(Rotation{Use: Client})
	}
	for use, want := range map[Use]int{Client: 2*rotations + 1, Statement: rotations + 1, Access: 1 + 1, Service: 1 + 1, Media: 1 + 1} {
		if got := len(f.states(use)); got < want-1 || got > want {
			t.Errorf("%d keys of use %s, want %d", got, use, want)
		}
	}
	if _, err := f.VerifyStatement([]byte(statement), f.time()); err != nil {
		t.Errorf("the first statement: %v", err)
	}
	if again, ok := f.ClientSecret(version, "client"); !ok || again != secret || !f.ClientVersionLive(version) {
		t.Error("the first client is not known any more")
	}
}

// TestWhenThereIsRoomAgain: who rotates too often is told when it goes on.
func TestWhenThereIsRoomAgain(t *testing.T) {
	f := newFixture(t, configuration(realm("acme", HS256)))
	for range MaxKeys - 1 {
		f.rotate(Rotation{Use: Service})
	}
	_, err := f.Rotate(context.Background(), Rotation{Use: Service})
	until := begin.Add(169*time.Hour + skew)
	if err == nil || !strings.HasSuffix(err.Error(), "too many keys until "+until.Format(time.RFC3339)) {
		t.Fatalf("got %v", err)
	}
	f.at(until)
	f.rotate(Rotation{Use: Service})
}
