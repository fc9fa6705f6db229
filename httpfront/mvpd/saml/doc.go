// Package saml connects TV providers that speak SAML 2.0.
//
// A login is the web browser SSO profile (SAML Profiles 2.0, 4.1), begun here:
//
//	Begin ------> SingleSignOnService: AuthnRequest, signed, over HTTP-Redirect or HTTP-POST
//	Receive <---- HTTP-POST of the browser at /saml/{realm}/{mvpd}/acs: Response
//	Complete ---- InResponseTo is compared with the login of the browser's cookie
//
// The ID of a request is derived from the login's secrets, so nothing is stored of it.
//
// # Whom to believe
//
// What arrives comes from a browser, and so from anybody. It is read in this order:
//
//  1. Bounds, then a reader that refuses everything which two readers could understand
//     differently: document types, entities, processing instructions, comments, ids that
//     are there twice (xml.go).
//  2. Where signatures and assertions may be, and of which form (response.go,
//     signature.go). goxmldsig sees no other signature.
//  3. The signature, by a key of the provider's metadata. What a signature says itself of
//     keys is dropped before.
//  4. The message, read from the bytes that were signed; nothing of the document around
//     them counts.
//
// Encrypted assertions are opened between 2 and 3, and read as strictly.
//
// # Logout
//
// Connector.Logout sends the browser to the provider with a LogoutRequest. A LogoutRequest
// of the provider comes over the browser too, is signed, counts once, and is answered.
//
// # Metadata
//
// What is known of a provider comes from its metadata, a file or a URL. It is renewed within
// a day, and good while the provider is down until the time that it names itself. The
// service's own metadata has the certificates of both keys during a roll-over.
//
// httpfront/DESIGN.md#saml-providers says why the libraries do what they do here, and not more.
package saml
