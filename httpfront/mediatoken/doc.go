// Package mediatoken makes media tokens: what a Permit gives to an app, so that
// its own backend can tell that playing one resource was permitted a moment
// ago; rest-v2.md 3 of the contract. Package verifier, which stands alone, is
// for that backend.
//
// # Format
//
// A serialized token is the Base64 of two elements, one after the other:
//
//	<signatureInfo>Base64 of the signature</signatureInfo>
//	<shortAuthorizationToken>
//	  <sessionGUID/> <requestorID/> <resourceID/> <ttl/> <issueTime/> <mvpdId/> <proxyMvpdId/>
//	</shortAuthorizationToken>
//
// without the line ends and blanks shown here. The signature (RSASSA
// PKCS #1 v1.5, SHA-256) covers the exact bytes of the second element, so a
// verifier needs no canonical form: it checks the bytes first and reads them
// afterwards. ttl is in milliseconds; issueTime has whole seconds.
//
// # Signing
//
// One signature takes about as much CPU as everything else in a request, many
// times over. A [Signer] therefore works in slots: one signature per CPU at a
// time, and a bounded number of requests that wait for theirs.
package mediatoken
