package faultrun

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// filling is what fills a small disk, in bytes.
const filling = 400 << 20

// file is the path of a file in the node's data as the test sees it.
func (n *Node) file(name string) string { return n.SeenBy(filepath.Join(n.Data(), name)) }

// fill takes most of the node's disk, and empty gives it back.
func (n *Node) fill() {
	n.cluster.Helper()
	f, err := os.Create(n.file("filling"))
	n.cluster.must(err)
	defer f.Close()
	n.cluster.must(unix.Fallocate(int(f.Fd()), 0, 0, filling))
}

func (n *Node) empty() {
	n.cluster.Helper()
	n.cluster.must(os.Remove(n.file("filling")))
}

// snapshots are the files of snapshots on the node's disk.
func (n *Node) snapshots() (files int) {
	n.cluster.Helper()
	for _, dir := range []string{"snapshots", "installs"} {
		names, err := os.ReadDir(n.file(dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			n.cluster.Fatal(err)
		}
		files += len(names)
	}
	return files
}
