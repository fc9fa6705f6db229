// Package admin is a node's second face: health, metrics, profiles of the
// process and the API that operators and ssoctl use;
// cmd/ssod/docs/operating.md#admin-api.
//
// A [Server] listens from the first moment of a node, so that a process that
// is still opening its store says so: /livez answers 200, /readyz 503 with the
// reason, everything else 503 until [Server.Serve] gives it the services it
// acts on. [Health] is the same on a listener of its own, without the API.
//
// Without tokens the listener is for loopback addresses, and open to every program on the
// machine but not to web pages: a request that a browser sends for another site, or that
// names a host other than a loopback one, is refused, and profiles are a POST. With tokens
// every request must carry one.
//
// A handler takes a [call], acts once and returns a value or an error; one
// adapter around all of them limits body and time, writes JSON, maps errors
// and writes the audit line: who called, with which of the tokens, what, on which
// profile, with which trace id. A viewer is in that line as a keyed digest only, and no key, token
// or secret ever is.
//
// A backup (POST backup) is the exception: a stream without a time limit, as long as the
// client goes on reading. It holds the keys of the cluster, so it is encrypted to a
// recipient (age, X25519) that the caller made for this one: an eavesdropper, or another
// client, cannot read it. Its audit line is written twice, at its begin and its end.
package admin
