package node

import (
	"cmp"
	"fmt"
	"net"
)

// clustered reports whether the node can have others beside it. Without an
// address for replication nothing listens for them: a cluster of one.
func (c *Config) clustered() bool { return c.Raft != "" }

// advertised is what other nodes dial to reach a listener of this one.
func (c *Config) advertised(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	rpc, _, _ := net.SplitHostPort(c.RPC)
	return net.JoinHostPort(cmp.Or(c.Advertise, rpc, host), port)
}

// fixPorts chooses the ports that are 0: other nodes are told of all of them
// before all of them are opened.
func (c *Config) fixPorts() error {
	for _, address := range []*string{&c.RPC, &c.Raft} {
		_, port, err := net.SplitHostPort(*address)
		if err != nil || port != "0" {
			continue
		}
		l, err := net.Listen("tcp", *address)
		if err != nil {
			return fmt.Errorf("take a port: %w", err)
		}
		*address = l.Addr().String()
		if err := l.Close(); err != nil {
			return fmt.Errorf("take a port: %w", err)
		}
	}
	return nil
}
