// Command ssoctl is the operator's command line. It talks to the admin address
// of a node; token and demo also call the public API, as an app would.
//
// Output for scripts (a statement, a token, JSON) goes to standard output, everything else
// to standard error. The exit status is 0, 1 when the node could not do what was asked,
// and 2 for a wrong command line.
package main
