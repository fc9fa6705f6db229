// Package keys has the keys of the cluster and everything that is signed with
// them: service tokens, access tokens, software statements and client secrets.
// It also verifies the tokens of external identity services.
//
// # Keys
//
// A [Ring] is a view of the meta table "keys". Every key is stored sealed with
// AES-256-GCM under a sealing key, which lies in the same table, sealed to each node
// (package sealing). A file next to a node's store opens it, so a copy of the store alone
// signs nothing. Only an encrypted backup has the keys themselves ([Unseal], [Seal]). A
// key's id (kid) is its RFC 7638 thumbprint, its algorithm never changes, and it has one
// use:
//
//	service    per realm  service tokens     HS256 or RS256
//	access     cluster    access tokens      HS256 or RS256
//	statement  cluster    software statements        RS256
//	media      per realm  media tokens               RS256
//	client     cluster    client secrets, derived with HMAC-SHA-256
//	audit      per realm  names of viewers in audit lines, with HMAC-SHA-256
//	linkcode   per realm  link codes; changes only when revoked
//
// A key is published before it signs, so that every node knows it by then. It signs until
// its successor's time comes. Retired, it verifies as long as something that it signed can
// be valid: life of the token and refresh window for service tokens, for ever where nothing
// expires. A revoked key is destroyed, and what it signed is refused from that moment. Time
// alone moves a key from one state to the next; only rotation, revocation and a new
// configuration write to the table.
//
// # Who makes keys
//
// [Open] makes missing keys that are quickly made, and those of the cluster. RSA keys of
// realms take long, so [Ring.Keep] makes them in the background, on the node that leads the
// table, a few at once on threads of low priority, and publishes them about once a second;
// what is due follows from the table and the configuration alone, so another node continues
// where one has stopped. A rotation is a record in the meta table "rotations", and each key
// that was made for one names it: it is over when every group that it concerns has such a
// key on all nodes.
//
// A request that finds a realm without a key has it made at once on any node
// ([Ring.AwaitMedia]), independently of the keeper, and shared by all requests that wait.
// When two nodes make the same key, the table takes the first. Making a key pair cannot be
// interrupted, so a stopping node does not wait for it.
//
// # Tokens
//
// The configured issuer, never the token, determines the key and the algorithm that verify
// it: our own tokens are looked up by kid among the realm's keys and must have that key's
// algorithm, external ones are RS256 under a key of their issuer. The typ header
// distinguishes kinds of tokens. The errors are those of the step table
// (httpfront/docs/headers.md#token-checks), one per row.
//
// A token that was verified is found again by its SHA-256 in a bounded cache.
// A hit is judged against the clock, and it counts only while the keys, the
// issuers' keys and the configuration are those that it was verified with.
//
// A Ring has one goroutine for each external issuer that publishes its keys at
// a URL, and one for each key that a request waits for; [Ring.Close] waits for them.
package keys
