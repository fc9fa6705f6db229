// Package pagetest keeps the tables of the operators' pages equal to the programs
// that they describe. A table stands between two comments
//
//	<!-- generated: flags -->
//	<!-- end -->
//
// and a test renders it from the command line that the program parses. make tables
// writes what the tests expect.
package pagetest
