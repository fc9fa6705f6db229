package httpfront

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"ssod/cluster/secretfile"
)

// certificate is the public listener's certificate. It is read again when its
// files change, so a renewed one needs no restart.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	version fileVersion
	checked time.Time
}

// checkEvery is how often a handshake looks at the files.
const checkEvery = time.Second

// fileVersion detects changes of two files.
type fileVersion struct {
	certTime, keyTime time.Time
	certSize, keySize int64
}

func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: c.get,
	}
}

// get returns the certificate for a handshake. When new files are not usable
// the old certificate stays: a half-written pair must not stop the service.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= checkEvery {
		c.checked = now
		if v, err := c.stat(); err != nil || v != c.version {
			c.reload()
		}
	}
	return c.current, nil
}

func (c *certificate) reload() {
	if err := c.load(); err != nil {
		c.log.Error("keeping the old certificate", "error", err)
		return
	}
	c.log.Info("the certificate of the public listener was renewed")
}

func (c *certificate) load() error {
	v, err := c.stat()
	if err != nil {
		return err
	}
	pair, err := secretfile.KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("load the certificate of the public listener: %w", err)
	}
	c.current, c.version = &pair, v
	return nil
}

func (c *certificate) stat() (v fileVersion, err error) {
	cert, err := os.Stat(c.certFile)
	if err != nil {
		return v, fmt.Errorf("certificate of the public listener: %w", err)
	}
	key, err := os.Stat(c.keyFile)
	if err != nil {
		return v, fmt.Errorf("key of the public listener: %w", err)
	}
	return fileVersion{cert.ModTime(), key.ModTime(), cert.Size(), key.Size()}, nil
}

// TLS returns the settings of a listener whose certificate is read again when
// its files change.
func TLS(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	c, err := newCertificate(certFile, keyFile, log)
	if err != nil {
		return nil, err
	}
	return c.config(), nil
}
