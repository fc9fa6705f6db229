package faultrun

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// namespaces are one network namespace per node, with two cables each: one to
// the clients, on the host, and one to the other nodes. The kernel itself carries
// what nodes say, so a cable that is pulled is a real one. It needs root and ip
// of iproute2.
type namespaces struct {
	name  string // begins the names of everything
	net   string // the first two bytes of all addresses
	nodes int
}

// errNamespaces says that there can be none here.
var errNamespaces = errors.New("network namespaces")

// newNamespaces makes two bridges, of which the host is on the one of clients.
func newNamespaces() (*namespaces, error) {
	s := &namespaces{name: fmt.Sprint("sf", os.Getpid()), net: fmt.Sprint("10.", 100+os.Getpid()%100)}
	err := s.ip(
		"link add "+s.clients()+" type bridge", "link add "+s.peers()+" type bridge",
		"addr add "+s.net+".1.254/24 dev "+s.clients(), "link set "+s.clients()+" up", "link set "+s.peers()+" up",
	)
	if err != nil {
		s.close()
		return nil, fmt.Errorf("%w: %w", errNamespaces, err)
	}
	return s, nil
}

func (s *namespaces) clients() string           { return s.name + "c" }
func (s *namespaces) peers() string             { return s.name + "p" }
func (s *namespaces) space(node int) string     { return fmt.Sprint(s.name, "-", node) }
func (s *namespaces) cable(node int) string     { return fmt.Sprint(s.peers(), node) }
func (s *namespaces) host(net, node int) string { return fmt.Sprint(s.net, ".", net, ".", node) }

// add makes the namespace of one more node. The node's addresses are its own, so
// the ports can be the same everywhere.
func (s *namespaces) add() (addresses []string, prefix []string, err error) {
	s.nodes++
	n, space := s.nodes, s.space(s.nodes)
	client := fmt.Sprint(s.clients(), n)
	err = s.ip(
		"netns add "+space, "-n "+space+" link set lo up",
		"link add "+client+" type veth peer name clients netns "+space,
		"link add "+s.cable(n)+" type veth peer name peers netns "+space,
		"link set "+client+" master "+s.clients()+" up", "link set "+s.cable(n)+" master "+s.peers()+" up",
		"-n "+space+" addr add "+s.host(1, n)+"/24 dev clients", "-n "+space+" addr add "+s.host(2, n)+"/24 dev peers",
		"-n "+space+" link set clients up", "-n "+space+" link set peers up",
	)
	for i := range 5 {
		net := 1 // HTTP and admin; gossip, actors and replication are among nodes
		if i > 1 {
			net = 2
		}
		addresses = append(addresses, fmt.Sprint(s.host(net, n), ":", 8080+i))
	}
	return addresses, []string{"ip", "netns", "exec", space}, err
}

// pull takes a node's cable to the other nodes off the bridge, plug puts it back.
func (s *namespaces) pull(node int) error { return s.ip("link set " + s.cable(node) + " nomaster") }

func (s *namespaces) plug(node int) error {
	return s.ip("link set " + s.cable(node) + " master " + s.peers())
}

// close takes down what there is.
func (s *namespaces) close() {
	for n := range s.nodes {
		_ = s.ip("netns del " + s.space(n+1))
	}
	_ = s.ip("link del " + s.clients())
	_ = s.ip("link del " + s.peers())
}

// ip runs commands of ip(8) until one fails.
func (s *namespaces) ip(commands ...string) error {
	for _, c := range commands {
		if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", c, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
