// Package e2e tests the ssod program as its users meet it: a real process with
// a data directory on disk, called over real sockets.
//
//	conformance_test.go  the cases of testdata/examples.json
//	documented_test.go   a client that knows documented fields only reads every answer
//	crash_test.go        kill -9 under load: what was acknowledged is there
//	race_test.go         one code, many devices: one winner
//	guessing_test.go     the budgets of link-code guesses
//	spread_test.go       one call, many nodes: the races and the budgets again
//	revocation_test.go   what is revoked is refused everywhere, also after a pause
//	laggard_test.go      a follower that missed too much gets a snapshot
//	roguepeer_test.go    strangers at the ports that nodes keep for each other
//	capture_test.go      nothing secret is in clear between nodes
//	smuggling_test.go    ambiguous requests through nginx and haproxy
//	keyheader_test.go    no header of a token makes the node open anything
//	secrets_test.go      no token, code or secret in logs, metrics or errors
//	damage_test.go       cut and changed files are found or harmless
//	trouble_test.go      locked, foreign and full directories
//
// The program is built once per run of the tests. Every node has its own
// directory and ports. Longer volumes run with SSOD_LONG=1. Tests that need
// another program (nginx, haproxy, strace) say so and are skipped where it is missing.
package e2e
