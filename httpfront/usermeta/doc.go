// Package usermeta encrypts facts about viewers so that only one service provider can read
// them: postal codes, for instance, that a TV provider gives away under a contract;
// httpfront/docs/entitlement.md#encrypted-attributes.
//
// The service provider makes an RSA key and gives its certificate to the operator. A value
// becomes a JWE in compact form (RFC 7516): RSA-OAEP-256, A256GCM. Nobody on the way, the
// app included, can read it.
package usermeta
