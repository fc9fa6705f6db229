package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
)

// nodeName is what ssod takes as --node.
var nodeName = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)

func main() {
	dir := flag.String("dir", "ssod-certs", "directory to write to; it is made")
	flag.Parse()
	if err := run(*dir, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "devcerts:", err)
		os.Exit(1)
	}
}

// run makes what is missing in dir, and the certificates of all nodes anew.
func run(dir string, nodes []string) error {
	for _, node := range nodes {
		if !nodeName.MatchString(node) || node == "ca" {
			return fmt.Errorf("%q is not the name of a node: 1 to 63 of a-z, 0-9 and -, and not ca", node)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	a, err := openAuthority(dir)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if err := a.issue(node); err != nil {
			return fmt.Errorf("certificate of %s: %w", node, err)
		}
	}
	return a.keepSecret()
}
