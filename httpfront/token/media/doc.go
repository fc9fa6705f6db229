// Package media makes media tokens: a Permit gives one to an app, so that the app's own
// backend can verify that playing a resource was permitted a moment ago;
// httpfront/docs/entitlement.md#media-tokens. Package verifier, which has no dependencies
// here, is for that backend.
//
// # Format
//
// A serialized token is the Base64 of two elements, one after the other:
//
//	<signatureInfo>Base64 of the signature</signatureInfo>
//	<shortAuthorizationToken>
//	  <sessionGUID/> <requestorID/> <resourceID/> <ttl/> <issueTime/> <mvpdId/> <proxyMvpdId/> <jti/>
//	</shortAuthorizationToken>
//
// without the line ends and blanks shown here. The signature (RSASSA
// PKCS #1 v1.5, SHA-256) covers the exact bytes of the second element, so a
// verifier needs no canonical form: it checks the bytes first and reads them
// afterwards. ttl is in milliseconds; issueTime has whole seconds; jti is random, so
// that no two tokens are the same.
//
// # Signing
//
// One signature takes many times the CPU of everything else in a request. A
// goroutine that signs would keep one of Go's processors from other requests for
// all that time, and from looking for new ones: with all of them signing, others
// waited 6 ms instead of 0.3. A [Signer] therefore signs on a few threads of its own, one
// for each CPU, of low priority, and a bounded number of requests waits for them. Its
// process should raise runtime.GOMAXPROCS, so that other requests have a processor while
// all threads sign.
package media
