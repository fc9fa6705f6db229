package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// listens are the ports at which the process waits for others, each with its
// protocol, in order.
func (n *node) listens() (ports []string) {
	n.Helper()
	process := filepath.Join("/proc", strconv.Itoa(n.Process.ID()))
	open := map[string]bool{} // sockets of the process, by inode
	files, err := filepath.Glob(process + "/fd/*")
	must(n, err)
	for _, file := range files {
		target, _ := os.Readlink(file) // "" where it was closed meanwhile
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			open[strings.TrimSuffix(inode, "]")] = true
		}
	}
	// The states of proc(5): 0A listens, 07 is a datagram socket that nobody is
	// connected to.
	for table, state := range map[string]string{"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"} {
		text, err := os.ReadFile(filepath.Join(process, "net", table))
		must(n, err)
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 10 || fields[3] != state || !open[fields[9]] {
				continue
			}
			_, hex, _ := strings.Cut(fields[1], ":")
			port, err := strconv.ParseUint(hex, 16, 16)
			must(n, err)
			ports = append(ports, strings.TrimSuffix(table, "6")+" "+strconv.FormatUint(port, 10))
		}
	}
	slices.Sort(ports)
	return ports
}
