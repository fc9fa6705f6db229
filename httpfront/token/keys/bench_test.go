package keys

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func BenchmarkSignService(b *testing.B) {
	f := newFixture(b, configuration(realm("acme", HS256)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.SignService(f.realm(), viewer, begin); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignServiceByGolangJWT makes a token of the same claims with golang-jwt
// alone.
func BenchmarkSignServiceByGolangJWT(b *testing.B) {
	f := newFixture(b, configuration(realm("acme", HS256)))
	k := f.signing(Service, "acme").key
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(ownClaims())).SignedString(k.private); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyServiceHit(b *testing.B) {
	f := newFixture(b, configuration(realm("acme", HS256)))
	token := []byte(f.mint(f.realm()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.VerifyService(f.realm(), token, begin, Call); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyServiceMiss(b *testing.B) {
	f := newFixture(b, configuration(realm("acme", HS256)))
	token := []byte(f.mint(f.realm()))
	s, acme := f.snapshot(), f.realm()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := f.verifyService(s, acme, token, begin, Call); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyAccessHit(b *testing.B) {
	f := newFixture(b, configuration(realm("acme", HS256)))
	signed, err := f.SignAccess("abcdefghijklmnopqrstuvwxyz.abcdefghij.abcdefghijklmnopqrstuvwxyz", "api:client:v2", begin)
	if err != nil {
		b.Fatal(err)
	}
	token := []byte(signed.Token)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.VerifyAccess(token, begin); err != nil {
			b.Fatal(err)
		}
	}
}
