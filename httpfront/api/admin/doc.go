// Package admin is a node's second face: health, metrics, profiles of the
// process and the API that operators and ssoctl use;
// cmd/ssod/docs/operating.md#admin-api.
//
// A [Server] listens from the first moment of a node, so that a process that
// is still opening its store says so: /livez answers 200, /readyz 503 with the
// reason, everything else 503 until [Server.Serve] gives it the services it
// acts on. [Health] is the same on a listener of its own, without the API.
//
// Who may call: on a loopback address everybody on the machine, except web
// pages (requests that a browser sends for another site, or that name another
// host than a loopback one, are refused). With tokens, whoever has one, and
// then nothing is served without it. Profiles are a POST unless there are tokens.
//
// A handler takes a [call], acts once and returns a value or an error; one
// adapter around all of them limits body and time, writes JSON, maps errors
// and writes the audit line: who called, with which of the tokens, what, on which
// profile, with which trace id. A viewer is in that line as a keyed digest only, and no key, token
// or secret ever is.
//
// A backup (POST backup) is the exception: it is a stream that takes as long as it takes,
// bound only by whether the other side goes on to read. It holds the keys of the
// cluster, so it is encrypted to a recipient (age, X25519) that the caller names and made
// for this one: what comes out of the connection is of use to nobody else, whoever else
// reaches the listener or listens. Its audit line is written twice, when it begins and
// when it ends.
package admin
