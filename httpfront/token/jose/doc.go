// Package jose reads every token that comes from outside: JSON Web Signatures and
// JSON Web Encryption (RFC 7515, RFC 7516) in compact serialization, with the claims
// of RFC 7519. It takes them apart itself, strictly; golang-jwt checks signatures and
// go-jose decrypts.
//
// # Strict
//
// Before any cryptography a token is at most [MaxToken] of the alphabet of Base64url
// in three or five parts that have one encoding each, under a JSON header in which
// no name is there twice (package strictjson). A header that would have the reader
// fetch or trust a key of the token's choice, or read the content in another way, is
// refused whatever it holds (RFC 8725, 3.10); the list is one for all tokens.
//
// The caller chooses the key of a token, from its configuration. A [Key] serves one
// algorithm, and a token that names another one is not checked at all (RFC 8725, 3.1).
// The typ header is read here and judged by the caller, which knows the kind of token that
// it expects (RFC 8725, 3.11).
//
// # Why its own parser
//
// golang-jwt reads headers with encoding/json, which takes the last of two members
// with one name, so a strict look has to come first anyway. Behind it golang-jwt's
// parser costs as much again and finds nothing more: BenchmarkRead has 11 allocations
// of 1.9 KB in 20 µs for a service token, BenchmarkReadByGolangJWT 82 of 5.6 KB in 45 µs
// (two busy cores). FuzzParse holds both to the same verdict. Package keys also writes
// HS256 tokens itself, 3 µs and 2 allocations where golang-jwt takes 20 µs and 55
// (BenchmarkSignService and BenchmarkSignServiceByGolangJWT there).
package jose
