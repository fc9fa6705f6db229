package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ssod/cluster/secretfile"
)

var (
	nodeName = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)
	hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)
)

// checker collects everything that is wrong with the flags.
type checker struct{ mistakes []error }

func (c *checker) mistake(format string, args ...any) {
	c.mistakes = append(c.mistakes, fmt.Errorf(format, args...))
}

// check returns every mistake at once.
func (f *flags) check() error {
	var c checker
	f.checkAddresses(&c)
	f.checkNumbers(&c)
	f.checkTimeouts(&c)
	f.checkLog(&c)
	f.checkCertificates(&c)
	f.checkCluster(&c)
	if !f.Insecure {
		f.checkExposure(&c)
	}
	return errors.Join(c.mistakes...)
}

func (f *flags) checkAddresses(c *checker) {
	c.address("--http", f.HTTP)
	c.address("--admin", f.Admin)
	if f.Health != "" {
		c.address("--health", f.Health)
	}
	c.address("--gossip", f.Gossip)
	c.address("--rpc", f.RPC)
	c.address("--raft", f.Raft)
	for _, address := range f.Join {
		c.address("--join", address)
	}
	if _, err := netip.ParseAddr(unbracketed(f.Advertise)); f.Advertise != "" && err != nil && !hostForm.MatchString(f.Advertise) {
		c.mistake("--advertise %q is not a host name or an address without a port", f.Advertise)
	}
}

func (f *flags) checkNumbers(c *checker) {
	if f.Node != "" && !nodeName.MatchString(f.Node) {
		c.mistake("--node %q is not 1 to 63 of a-z, 0-9 and -", f.Node)
	}
	if f.Zone != "" && !nodeName.MatchString(f.Zone) {
		c.mistake("--zone %q is not 1 to 63 of a-z, 0-9 and -", f.Zone)
	}
	if f.Data == "" {
		c.mistake("--data is empty")
	}
	if f.Replicas != nil && !slices.Contains([]int{1, 3, 5}, *f.Replicas) {
		c.mistake("--replicas %d is not 1, 3 or 5", *f.Replicas)
	}
	if f.Shards < 1 || f.Shards > 4096 {
		c.mistake("--shards %d is not between 1 and 4096", f.Shards)
	}
	if f.Memory != nil && *f.Memory < leastMemory {
		c.mistake("--memory %d is less than 128MiB", *f.Memory)
	}
	if f.Cache != nil && f.Memory != nil && *f.Cache > *f.Memory/2 {
		c.mistake("--cache %d is more than half of --memory %d", *f.Cache, *f.Memory)
	}
	if f.Cache != nil && *f.Cache < 1<<20 {
		c.mistake("--cache %d is less than 1MiB", *f.Cache)
	}
	if f.DrainDelay < 0 || f.DrainDelay > time.Hour {
		c.mistake("--drain-delay %v is not between 0s and 1h", f.DrainDelay)
	}
	if f.DeadAfter != nil && *f.DeadAfter < time.Second {
		c.mistake("--dead-after %v is less than 1s", *f.DeadAfter)
	}
	if f.SilentFor < time.Second {
		c.mistake("--silent-for %v is less than 1s", f.SilentFor)
	}
}

// checkTimeouts refuses typing mistakes: timeouts that close a connection before a client
// can send, or keep idle ones for ever.
func (f *flags) checkTimeouts(c *checker) {
	c.between("--read-timeout", f.ReadTimeout, 100*time.Millisecond, 10*time.Minute)
	c.between("--write-timeout", f.WriteTimeout, 100*time.Millisecond, 10*time.Minute)
	c.between("--idle-timeout", f.IdleTimeout, time.Second, time.Hour)
}

func (c *checker) between(flag string, d, low, high time.Duration) {
	if d < low || d > high {
		c.mistake("%s %v is not between %v and %v", flag, d, low, high)
	}
}

func (f *flags) checkLog(c *checker) {
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, f.LogLevel) {
		c.mistake("--log-level %q is not debug, info, warn or error", f.LogLevel)
	}
	if !slices.Contains([]string{"", "text", "json"}, f.LogFormat) {
		c.mistake("--log-format %q is not text or json", f.LogFormat)
	}
}

func (f *flags) checkCertificates(c *checker) {
	c.pair("--http-tls-cert", f.HTTPTLSCert, "--http-tls-key", f.HTTPTLSKey)
	c.pair("--tls-cert", f.TLSCert, "--tls-key", f.TLSKey)
	if (f.TLSCert == "") != (f.TLSCA == "") {
		c.mistake("--tls-cert and --tls-ca go together")
	}
	if f.TLSCA != "" {
		c.authority(f.TLSCA)
	}
}

// checkCluster refuses flags for other nodes that cannot reach this one.
func (f *flags) checkCluster(c *checker) {
	if f.ClusterSecret != "" {
		return
	}
	for _, a := range []struct{ flag, address, standard string }{
		{"--gossip", f.Gossip, defaultGossip},
		{"--rpc", f.RPC, defaultRPC},
		{"--raft", f.Raft, defaultRaft},
		{"--advertise", f.Advertise, ""},
		{"--tls-cert", f.TLSCert, ""},
	} {
		if a.address != a.standard {
			c.mistake("%s %s is for other nodes: it needs --cluster-secret, or leave it out: a node alone does not listen there", a.flag, a.address)
		}
	}
}

// checkExposure requires protection of listeners that others can reach.
func (f *flags) checkExposure(c *checker) {
	const waive = "; --insecure waives this"
	if !loopback(f.Admin) && (f.AdminToken == "" || f.HTTPTLSCert == "") {
		c.mistake("--admin %s is not a loopback address: it needs --admin-token, --http-tls-cert and --http-tls-key%s", f.Admin, waive)
	}
	if f.ClusterSecret != "" && (!loopback(f.RPC) || !loopback(f.Raft)) && f.TLSCert == "" {
		c.mistake("--rpc %s and --raft %s are not both loopback addresses: they need --tls-cert, --tls-key and --tls-ca%s", f.RPC, f.Raft, waive)
	}
}

func (c *checker) address(flag, address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		c.mistake("%s %q is not host:port%s", flag, address, bracketsMissing(address))
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		c.mistake("%s %q: the port is not a number from 0 to %d", flag, address, 1<<16-1)
	} else if n == 0 && flag == "--join" {
		c.mistake("%s %q: nobody listens on port 0", flag, address)
	}
	if _, err := netip.ParseAddr(host); host != "" && err != nil && !hostForm.MatchString(host) {
		c.mistake("%s %q: the host is neither a name nor an address", flag, address)
	}
}

// bracketsMissing explains an IPv6 address without brackets.
func bracketsMissing(address string) string {
	if !strings.Contains(address, "[") && strings.Count(address, ":") > 1 {
		return "; an IPv6 address stands in brackets, as in [::1]:8080"
	}
	return ""
}

// unbracketed reports whether a host needs no brackets before a port.
func unbracketed(host string) string {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		return strings.TrimSuffix(inner, "]")
	}
	return host
}

// loopback reports whether only this machine reaches the address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // reported as a mistake of its own
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (c *checker) pair(certFlag, cert, keyFlag, key string) {
	if (cert == "") != (key == "") {
		c.mistake("%s and %s go together", certFlag, keyFlag)
		return
	}
	if cert == "" {
		return
	}
	if _, err := secretfile.KeyPair(cert, key); err != nil {
		c.mistake("%s %s: %w", certFlag, cert, err)
	}
}

func (c *checker) authority(file string) {
	pem, _, err := secretfile.ReadAny(file)
	if err != nil {
		c.mistake("--tls-ca: %w", err)
		return
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		c.mistake("--tls-ca %s holds no certificate", file)
	}
}
