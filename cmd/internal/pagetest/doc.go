// Package pagetest keeps the pages for operators and benchmark engineers equal to the
// programs that they describe: the commands that they show ([Typed]), the tests that
// they name, and their tables ([Table]). A table stands between two comments
//
//	<!-- generated: flags -->
//	<!-- end -->
//
// and a test renders it from the command line that the program parses. make tables
// writes what the tests expect.
package pagetest
