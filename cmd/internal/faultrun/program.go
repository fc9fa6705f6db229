package faultrun

import (
	"fmt"
	"os"
	"testing"

	"ssod/cmd/internal/ssodtest"
)

// Main runs the tests of a package. Started as a gate it becomes the program behind that.
func Main(m *testing.M) int {
	if len(os.Args) > 2 && os.Args[1] == gateArg {
		fmt.Fprintln(os.Stderr, passGate(os.Args[2:]))
		return 1
	}
	return ssodtest.Main(m)
}
