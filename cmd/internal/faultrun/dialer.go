package faultrun

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ordinary reports whether a connection ended in good order.
func ordinary(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) }

// dialer is the node that has the other end of a connection; nil when none has.
func (n *Network) dialer(c net.Conn) *Node {
	remote, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return nil
	}
	inode, err := inodeOf(remote.Port, c.LocalAddr().(*net.TCPAddr).Port)
	if err != nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for node := range n.nodes {
		if id := node.id.Load(); id != 0 && hasSocket(int(id), inode) {
			return node
		}
	}
	return nil
}

var errNoSocket = errors.New("no such socket")

// inodeOf finds a TCP socket by its own port and the one it is connected to;
// proc(5), /proc/net/tcp.
func inodeOf(local, remote int) (string, error) {
	table, err := os.Open("/proc/net/tcp")
	if err != nil {
		return "", err
	}
	defer table.Close()
	here, there := fmt.Sprintf(":%04X", local), fmt.Sprintf(":%04X", remote)
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && strings.HasSuffix(fields[1], here) && strings.HasSuffix(fields[2], there) {
			return fields[9], nil
		}
	}
	return "", errors.Join(errNoSocket, lines.Err())
}

// hasSocket reports whether a process has a socket.
func hasSocket(process int, inode string) bool {
	dir := filepath.Join("/proc", strconv.Itoa(process), "fd")
	files, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(dir, f.Name())); err == nil && to == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
