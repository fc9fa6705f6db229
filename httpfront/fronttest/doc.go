// Package fronttest starts a node's front end for tests: the real server,
// keys, registration, actors and entities over a store in memory, on a clock
// that the test moves.
package fronttest
