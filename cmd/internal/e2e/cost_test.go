package e2e

import (
	"fmt"
	"os"
	"strings"
)

// cost is what a process holds.
type cost struct{ goroutines, files int }

func (c *trio) costs() (all []cost) {
	c.Helper()
	for _, n := range c.nodes {
		all = append(all, n.cost())
	}
	return all
}

// cost counts goroutines and open files of the process. The public server keeps
// its workers for a while after their connections.
func (n *node) cost() (c cost) {
	n.Helper()
	page := n.goroutines()
	for stack := range strings.SplitSeq(page, "\n\n") {
		if !strings.Contains(stack, "fasthttp.(*workerPool)") {
			c.goroutines++
		}
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", n.Process.ID()))
	must(n, err)
	c.files = len(files)
	return c
}

// within reports whether c is b again, apart from what comes and goes with
// connections between nodes and files of the store.
func (c cost) within(b cost) bool {
	const slack = 12
	return c.goroutines <= b.goroutines+slack && c.files <= b.files+slack
}

// alive reports whether the process runs.
func (n *node) alive() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.Process.ID()))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
