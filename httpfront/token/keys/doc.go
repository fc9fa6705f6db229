// Package keys has the keys of the cluster and everything that is signed with
// them: service tokens, access tokens, software statements and client secrets.
// It also verifies the tokens of external identity services.
//
// # Keys
//
// A [Ring] is a view of the meta table "keys". Every key is stored sealed with
// AES-256-GCM under a sealing key, which lies in the same table, sealed to each node
// (package sealing). What opens that is a file beside the store of a node, so a copy of
// the store alone signs nothing. Only a backup has the keys themselves, within what it is
// encrypted under ([Unseal], [Seal]). A key's id (kid) is its RFC 7638
// thumbprint, its algorithm never changes, and it is used for one thing:
//
//	service    per realm  service tokens     HS256 or RS256
//	access     cluster    access tokens      HS256 or RS256
//	statement  cluster    software statements        RS256
//	media      per realm  media tokens               RS256
//	client     cluster    client secrets, derived with HMAC-SHA-256
//	audit      per realm  names of viewers in audit lines, with HMAC-SHA-256
//	linkcode   per realm  link codes; changes only when revoked
//
// A key is published before it signs, so that every node knows it by then. It
// signs until its successor's time comes. Retired, it verifies as long as
// something that it signed can be good: life of the token and refresh window
// for service tokens, for ever where nothing expires. A revoked key is
// destroyed, and what it signed is refused from that moment. Nothing but time
// moves a key from one state to the next; only rotation, revocation and a new
// configuration write to the table.
//
// # Who makes keys
//
// [Open] makes those that are missing and take no time, and those of the cluster. RSA
// keys of realms take long, so [Ring.Keep] makes them in the background, on the one
// node that leads the table, a few at once on threads that give way, and publishes
// them about once a second; what is due follows from the table and the configuration
// alone, so another node goes on where one has stopped. A rotation is a record in the
// meta table "rotations", and each key that was made for one names it: it is over when
// every group that it concerns has such a key, and all nodes have those.
//
// A request that finds a realm without a key has it made at once on any node
// ([Ring.AwaitMedia]), one for all who wait, beside the keeper. When two nodes make
// the same key, the table takes the first. A key pair that is being made cannot be
// given up: nobody waits for it once the node stops.
//
// # Tokens
//
// Which key and which algorithm verify a token follows from the configured
// issuer, never from the token: our own tokens are looked up by kid among the
// realm's keys and must have that key's algorithm, external ones are RS256
// under a key of their issuer. The typ header keeps kinds of tokens apart. The
// errors are those of the step table (httpfront/docs/headers.md#token-checks), one per
// row.
//
// A token that was verified is found again by its SHA-256 in a bounded cache.
// A hit is judged against the clock, and it counts only while the keys, the
// issuers' keys and the configuration are those that it was verified with.
//
// A Ring has one goroutine for each external issuer that publishes its keys at
// a URL, and one for each key that a request waits for; [Ring.Close] waits for them.
package keys
