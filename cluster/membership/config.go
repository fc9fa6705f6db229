package membership

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"

	"ssod/cluster/secret"
)

// Config says how to take part. Name, Incarnation and Listen are required.
type Config struct {
	// Name is the node's name.
	Name string
	// Incarnation distinguishes this process of the node from earlier ones and is larger
	// than theirs, like the time of the start.
	Incarnation uint64
	// Meta is what others are told about this node.
	Meta Meta
	// Listen is the address to listen at, TCP and UDP; port 0 takes a free one.
	Listen string
	// Advertise is the host that others send to; empty: that of Listen.
	Advertise string
	// Join are addresses of nodes through which to find the others.
	Join []string
	// Keys are those of the cluster's secret for [secret.Gossip], the first one for
	// sending; none: gossip is neither encrypted nor authenticated, which is for
	// loopback only.
	Keys []secret.Key

	// Probe is how often another node is probed; 0 means one second. A node that does not
	// answer counts as dead after about four times that.
	Probe time.Duration
	// Retry is how often the addresses to join, and those of lost nodes, are tried; 0
	// means 5 s.
	Retry time.Duration
	// Log gets what an operator should know; nil means slog.Default.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Probe, c.Retry = cmp.Or(c.Probe, time.Second), cmp.Or(c.Retry, 5*time.Second)
	c.Log = cmp.Or(c.Log, slog.Default())
	return c
}

// label begins every connection and packet, unlike those of other programs that use
// memberlist.
const label = "ssod-1"

// dialTimeout bounds an attempt to join.
const dialTimeout = 2 * time.Second

// memberlist translates the configuration.
func (c *Config) memberlist() (*memberlist.Config, error) {
	m := memberlist.DefaultLANConfig()
	host, port, err := endpoint(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", c.Listen, err)
	}
	m.BindAddr, m.BindPort, m.AdvertisePort = host, port, port
	if c.Advertise != "" {
		ip, err := net.ResolveIPAddr("ip", c.Advertise)
		if err != nil {
			return nil, fmt.Errorf("advertised host %q: %w", c.Advertise, err)
		}
		m.AdvertiseAddr = ip.String()
	}
	m.Name = memberName(c.Name, c.Incarnation)
	m.Label = label
	m.ProbeInterval, m.ProbeTimeout, m.GossipInterval = c.Probe, c.Probe/2, c.Probe/5
	m.TCPTimeout = dialTimeout
	m.PushPullInterval = 15 * c.Probe
	m.Keyring, err = keyring(c.Keys)
	return m, err
}

// endpoint splits an address into an IP address and a port, for memberlist.
func endpoint(address string) (host string, port int, err error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	if port, err = strconv.Atoi(service); err != nil {
		return "", 0, errors.New("the port is not a number")
	}
	if host == "" {
		return "0.0.0.0", port, nil
	}
	ip, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return "", 0, err
	}
	return ip.String(), port, nil
}
