package secretfile

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
)

// maxSize bounds a file in bytes.
const maxSize = 256 << 10

// ErrExposed says that others have access to a file of secrets.
var ErrExposed = errors.New("others have access to it")

// Read reads a file that must be private. Errors name the file and never quote it.
func Read(path string) ([]byte, error) {
	data, exposed, err := ReadAny(path)
	if err == nil {
		err = exposed
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// ReadAny reads a file whose contents tell whether it must be private. exposed is why it is
// not private; nil when it is.
func ReadAny(path string) (data []byte, exposed, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if exposed = private(f); exposed != nil && !errors.Is(exposed, ErrExposed) {
		return nil, nil, exposed
	}
	if data, err = io.ReadAll(io.LimitReader(f, maxSize+1)); err != nil {
		return nil, nil, err
	}
	if len(data) > maxSize {
		return nil, nil, fmt.Errorf("%s: more than %d bytes", path, maxSize)
	}
	return data, exposed, nil
}

// Lines are the lines of a file without those that are empty or begin with #.
func Lines(data []byte) (lines []string) {
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// Check reports why a file cannot be read or is not private.
func Check(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return private(f)
}

// KeyPair reads a certificate and its key, both PEM. The key must be private.
func KeyPair(cert, key string) (tls.Certificate, error) {
	public, _, err := ReadAny(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	secret, err := Read(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(public, secret)
}

// private reports why an open file is not.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return &fs.PathError{Op: "read", Path: f.Name(), Err: syscall.EISDIR}
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: its owner is not known on this system", f.Name())
	}
	p, err := self()
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	if why := p.exposed(info.Mode().Perm(), int(owner.Uid), int(owner.Gid)); why != "" {
		return fmt.Errorf("%s: %w: %s", f.Name(), ErrExposed, why)
	}
	return nil
}

// process is what the rights of this process depend on.
type process struct {
	user   int
	groups []int
}

func self() (process, error) {
	groups, err := os.Getgroups()
	if err != nil {
		return process{}, fmt.Errorf("the groups of this process: %w", err)
	}
	return process{os.Geteuid(), append(groups, os.Getegid())}, nil
}

// exposed says which others have access to a file of this mode, owner and group, and what to
// do about it; "" if none.
func (p process) exposed(mode fs.FileMode, user, group int) string {
	switch {
	case user != p.user && user != 0:
		return fmt.Sprintf("it belongs to user %d, neither root nor the user of this process, %d (chown it)", user, p.user)
	case mode&0o007 != 0:
		return fmt.Sprintf("its mode is %04o, which gives every user of this machine access (chmod 600 it)", mode)
	case mode&0o070 != 0 && !slices.Contains(p.groups, group) && (user != 0 || group != 0):
		return fmt.Sprintf("its mode is %04o, and this process is not in its group, %d (chmod 600 it)", mode, group)
	}
	return ""
}
