package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Validate refuses half of a running node; kong calls it.
func (c *runCommand) Validate() error {
	if c.HTTP == "" {
		if c.Admin != "" || len(c.Provider) > 0 {
			return errors.New("--admin and --provider are those of a running node: they need --http")
		}
		return nil
	}
	if c.Admin == "" || len(c.Provider) == 0 {
		return errors.New("--http is a running node: it needs --admin and --provider too")
	}
	return errors.Join(checkAddress("--http", c.HTTP), checkAddress("--admin", c.Admin))
}

func checkAddress(flag, address string) error {
	if strings.Contains(address, "/") {
		return fmt.Errorf("%s %q is a URL: give host:port of a listener without TLS", flag, address)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%s %q is not host:port", flag, address)
	}
	return nil
}

// Validate refuses --only where it has no effect; kong calls it.
func (c *clusterCommand) Validate() error {
	if len(c.Only) > 0 && c.Against == "" {
		return errors.New("--only chooses what is compared with an older build: it needs --against")
	}
	return checkCompared(c.Only)
}

// Validate refuses an operation that is not compared; kong calls it.
func (m *marksCommand) Validate() error { return checkCompared(m.Only) }

func checkCompared(only []string) error {
	known := append([]string{hop}, operations...)
	for _, name := range only {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--only %q is none of %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// checkData refuses a directory in which a start would found an empty service.
func checkData(dir string) error {
	switch {
	case isDir(dir, "data", "store"):
		return nil
	case isDir(dir, "store"):
		return fmt.Errorf("%s is a data directory itself: give one that holds it under the name data", dir)
	}
	return fmt.Errorf("%s holds no data directory of an ssod under the name data", dir)
}

func isDir(path ...string) bool {
	info, err := os.Stat(filepath.Join(path...))
	return err == nil && info.IsDir()
}
