package node

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
)

// clustered reports whether the node can be one of several. Without a cluster secret
// nothing listens for other nodes.
func (c *Config) clustered() bool { return c.Secret != "" }

// advertised is what other nodes dial to reach a listener of this one.
func (c *Config) advertised(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	rpc, _, _ := net.SplitHostPort(c.RPC)
	return net.JoinHostPort(dialable(cmp.Or(c.Advertise, rpc, host)), port)
}

// dialable is a host that others reach. An unspecified address is none: a node that
// dialed it would reach itself.
func dialable(host string) string {
	ip, err := netip.ParseAddr(host)
	if host != "" && (err != nil || !ip.IsUnspecified()) {
		return host
	}
	return ownAddress(ip.Is6(), interfaces())
}

// ownAddress chooses one of the machine's addresses, of the wanted family if there
// is one.
func ownAddress(v6 bool, all []netip.Addr) string {
	var other netip.Addr
	for _, ip := range all {
		switch {
		case !ip.IsGlobalUnicast():
		case ip.Is6() == v6:
			return ip.String()
		case !other.IsValid():
			other = ip
		}
	}
	switch {
	case other.IsValid():
		return other.String()
	case v6:
		return "::1"
	}
	return "127.0.0.1"
}

// interfaces are the addresses of this machine.
func interfaces() (all []netip.Addr) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range list {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, prefix.Addr().Unmap())
		}
	}
	return all
}

// fixPorts chooses the ports that are 0: other nodes learn all of them before all of them
// are opened.
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
