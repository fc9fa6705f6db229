package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"ssod/cluster/transport/transporttest"
)

// life is how long certificates are good.
const life = 365 * 24 * time.Hour

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
	a, err := transporttest.OpenAuthority(dir)
	a.Life = life
	if errors.Is(err, fs.ErrNotExist) {
		err = a.Found()
	}
	if err != nil {
		return fmt.Errorf("authority in %s: %w", dir, err)
	}
	for _, node := range nodes {
		if _, err := a.Issue(node); err != nil {
			return fmt.Errorf("certificate of %s: %w", node, err)
		}
	}
	return keepSecret(filepath.Join(dir, "cluster.secret"))
}

// keepSecret makes the secret of the cluster unless there is one.
func keepSecret(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var key [32]byte
	rand.Read(key[:]) // never fails since Go 1.24
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key[:]))
	return errors.Join(err, f.Close())
}
