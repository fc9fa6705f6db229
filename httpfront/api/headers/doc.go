// Package headers reads the request headers that all calls of apps have in
// common; httpfront/docs/headers.md#headers-and-tokens. It is lenient where apps are
// known to be careless and strict where a mistake would matter:
//
//	Authorization         [Bearer], [HasScope]
//	AP-Device-Identifier  [Device]: one of 1 to 256 bytes, or an error
//	X-Device-Info         [Attributes] for the list of members, [Describe] for
//	                      a login: whatever can be told, however it is written,
//	                      the User-Agent helps
package headers
