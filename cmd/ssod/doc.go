// Command ssod is one node of the single sign-on service: HTTP API, actors and
// replicated store. ssod --help lists its flags; cmd/ssod/docs/configuration.md#flags
// says what they mean.
//
// ssod restore makes the data directory of a new cluster's first node from a backup
// (persistence/backup/DESIGN.md#what-a-new-cluster-begins-with).
//
// It ends with status 0 after a clean stop, 1 when it failed while running,
// and 2 when flags or configuration are wrong. SIGTERM and SIGINT drain, a
// second one ends the process at once; SIGHUP rereads the configuration.
//
// Built with the tag shiftedclock, which only tests do, the node's clock is set by a
// file; see clock_shifted.go.
package main
