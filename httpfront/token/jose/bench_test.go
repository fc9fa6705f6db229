package jose

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// sample is a service token as they are minted here.
const (
	sampleHeader  = `{"alg":"HS256","typ":"JWT","kid":"2hQ3xW0cYc9m3k2iG1rVb8rY0n3wq3yq8Jr8n2o1p4s"}`
	samplePayload = `{"iss":"ssoservicetoken","sub":"YmEyM2QxNDEtZDcxNS01NjFjLTk0ZjQtZTllNGM5NjZiMWVi","nbf":1767384000,"exp":1767470400,` +
		`"iat":1767384000,"jti":"AAAAAAAAAAAAAAAAAAAAAA","did":"AAAAAAAAAAAAAAAAAAAAAA","mbr":12,"auth_time":1767384000}`
)

// BenchmarkRead is what this package does with a service token: parse, verify, claims.
func BenchmarkRead(b *testing.B) {
	token := []byte(sign(b, sampleHeader, samplePayload))
	b.ReportAllocs()
	for b.Loop() {
		t, ok := ParseSigned(token)
		c, read := ParseClaims(t.Payload)
		if _, dated := c.Times(); !ok || !read || !dated || !hmacKey.Verify(&t) {
			b.Fatal("refused")
		}
	}
}

// BenchmarkReadByGolangJWT is the same with golang-jwt's parser, behind the strict
// look at the header and the payload that it does not take itself.
func BenchmarkReadByGolangJWT(b *testing.B) {
	token := []byte(sign(b, sampleHeader, samplePayload))
	parser := jwt.NewParser(jwt.WithValidMethods([]string{HS256}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	b.ReportAllocs()
	for b.Loop() {
		t, ok := ParseSigned(token)
		if _, read := ParseClaims(t.Payload); !ok || !read {
			b.Fatal("refused")
		}
		if _, err := parser.Parse(string(token), func(*jwt.Token) (any, error) { return secret, nil }); err != nil {
			b.Fatal(err)
		}
	}
}
