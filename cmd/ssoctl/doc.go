// Command ssoctl is the operator's command line. It talks to the admin address
// of a node; token and demo also call the public API, as an app would.
//
// What a script wants (a statement, a token, JSON) goes to standard output
// alone, everything else to standard error. It ends with status 0, with 1 when
// the node could not do what was asked, and with 2 when the command line is
// wrong.
package main
