package node

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"ssod/cluster/secret"
	"ssod/cluster/secretfile"
	"ssod/httpfront/api/admin"
	"ssod/persistence"
)

// ErrNoSecret says that a node of several has no secret to prove that it is one of them.
var ErrNoSecret = errors.New("the secret of the cluster is missing")

// secrets are what the files of secrets hold.
type secrets struct {
	tokens  []string     // of the admin API
	cluster []secret.Key // nil: there is none
	missing bool         // the cluster's file is to be made: this node founds the cluster
}

// CheckSecrets reports all mistakes in the files of secrets.
func (c *Config) CheckSecrets() error {
	_, err := c.readSecrets()
	return err
}

func (c *Config) readSecrets() (s secrets, err error) {
	var errs []error
	if c.AdminTokens != "" {
		if s.tokens, err = admin.ReadTokens(c.AdminTokens); err != nil {
			errs = append(errs, fmt.Errorf("--admin-token: %w", err))
		}
	}
	switch {
	case c.Secret != "":
		s.cluster, s.missing, err = c.readClusterSecret()
	case len(c.Join) > 0:
		err = fmt.Errorf("%w: --join needs --cluster-secret, the file that the members of the cluster have", ErrNoSecret)
	default:
		err = nil
	}
	return s, errors.Join(append(errs, err)...)
}

func (c *Config) readClusterSecret() (keys []secret.Key, missing bool, err error) {
	text, err := secretfile.Read(c.Secret)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, true, c.mayFound()
	case err != nil:
		return nil, false, fmt.Errorf("--cluster-secret: %w", err)
	}
	if keys, err = secret.Parse(text); err != nil {
		return nil, false, fmt.Errorf("--cluster-secret %s: %w", c.Secret, err)
	}
	return keys, false, nil
}

// mayFound reports why this node does not found a cluster and so cannot make its secret.
func (c *Config) mayFound() error {
	if len(c.Join) > 0 {
		return fmt.Errorf("%w: --cluster-secret %s is not there: copy it from a member of the cluster to join", ErrNoSecret, c.Secret)
	}
	_, exists, err := persistence.ReadIdentity(c.Data)
	if err != nil {
		return err
	}
	if exists {
		return fmt.Errorf("%w: --cluster-secret %s is not there, and is made only where a cluster is founded on an empty directory, which %s is not: "+
			"copy the file from another member; where this node has none, make it: (umask 077; openssl rand -base64 32 >%s)", ErrNoSecret, c.Secret, c.Data, c.Secret)
	}
	return nil
}

// takeSecrets reads the files of secrets, and makes the one of a cluster that this
// node founds.
func (n *Node) takeSecrets(context.Context) error {
	s, err := n.config.readSecrets()
	if err != nil {
		return err
	}
	if s.missing {
		if s.cluster, err = n.makeSecret(); err != nil {
			return err
		}
	}
	if n.config.AdminTokens != "" {
		n.tokens = admin.NewTokens(s.tokens...)
		n.log.Info("admin tokens", "file", n.config.AdminTokens, "accepted", n.tokens.Fingerprints())
	}
	if n.config.clustered() {
		n.secrets, err = secret.NewRing(s.cluster...)
	}
	return err
}

// makeSecret makes the secret of a new cluster, atomically and durably, and logs what to do
// with it.
func (n *Node) makeSecret() ([]secret.Key, error) {
	file := n.config.Secret
	var key secret.Key
	rand.Read(key[:]) // never fails since Go 1.24
	if err := writeDurably(file, base64.StdEncoding.AppendEncode(nil, key[:])); err != nil {
		return nil, fmt.Errorf("make --cluster-secret: %w", err)
	}
	n.log.Info("the secret of a new cluster was made; every node that is to join needs a copy, which nobody else may read",
		"file", file, "copy it", fmt.Sprintf("scp -p %s HOST:%s", file, file),
		"join with", fmt.Sprintf("--join %s --cluster-secret %s", n.config.advertised(n.config.Gossip), file))
	keys, _, err := n.config.readClusterSecret()
	return keys, err
}

// checkKeyPairs reports what is wrong with certificates and their keys. Renewed ones are
// read automatically, and the old ones serve until they are right; a reload says so.
func (c *Config) checkKeyPairs() error {
	var errs []error
	for _, pair := range [][2]string{{c.TLSCert, c.TLSKey}, {c.PeerCert, c.PeerKey}} {
		if pair[0] == "" {
			continue
		}
		if _, err := secretfile.KeyPair(pair[0], pair[1]); err != nil {
			errs = append(errs, fmt.Errorf("certificate %s: %w", pair[0], err))
		}
	}
	return errors.Join(errs...)
}

// errNoneLeft refuses a secret that has no key in common with the one in force: this node
// and those that have not read it yet would refuse each other.
var errNoneLeft = errors.New("none of the keys in force is in it: add the new one to them first, on all nodes")

// compareSecrets reports whether others still know a key of a new secret.
func (n *Node) compareSecrets(s secrets) error {
	if n.secrets == nil {
		return nil
	}
	next, err := secret.NewRing(s.cluster...)
	if err != nil {
		return err
	}
	inForce := n.secrets.For(secret.Gossip)
	if !slices.ContainsFunc(next.For(secret.Gossip), func(k secret.Key) bool { return slices.Contains(inForce, k) }) {
		return fmt.Errorf("--cluster-secret %s: %w", n.config.Secret, errNoneLeft)
	}
	return nil
}

// adoptSecrets applies what a reload has read. It keeps existing connections.
func (n *Node) adoptSecrets(s secrets) error {
	if n.tokens != nil {
		n.tokens.Set(s.tokens...)
		n.log.Info("admin tokens reloaded", "file", n.config.AdminTokens, "accepted", n.tokens.Fingerprints())
	}
	if n.secrets == nil {
		return nil
	}
	if err := n.secrets.Set(s.cluster); err != nil {
		return err
	}
	if err := n.gossip.SetKeys(n.secrets.For(secret.Gossip)); err != nil {
		return err
	}
	n.log.Info("cluster secret reloaded", "file", n.config.Secret, "accepted", len(s.cluster))
	return nil
}
