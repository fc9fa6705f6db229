package backup

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// MinPassphrase is the least length of a passphrase in bytes. It can be guessed offline.
const MinPassphrase = 12

// Passphrase is the first line of a file.
func Passphrase(file []byte) string {
	line, _, _ := strings.Cut(string(file), "\n")
	return strings.TrimSuffix(line, "\r")
}

// CheckPassphrase refuses a passphrase that is too short.
func CheckPassphrase(passphrase string) error {
	if len(passphrase) < MinPassphrase {
		return fmt.Errorf("the passphrase has %d bytes, and needs %d at least; openssl rand -base64 24 makes a good one", len(passphrase), MinPassphrase)
	}
	return nil
}

// Seal returns a writer that encrypts under a passphrase. The output is complete when it
// is closed. Deriving the key takes a second and 256 MiB, to make guesses expensive.
func Seal(w io.Writer, passphrase string) (io.WriteCloser, error) { return seal(w, passphrase, 0) }

// seal takes 2^work steps for a guess; 0: age's default.
func seal(w io.Writer, passphrase string, work int) (io.WriteCloser, error) {
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	if work > 0 {
		to.SetWorkFactor(work)
	}
	return age.Encrypt(w, to)
}

// Open is the inverse of [Seal]. It and reads fail with [ErrPassphrase] or [ErrDamaged].
func Open(r io.Reader, passphrase string) (io.Reader, error) {
	by, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	return open(r, by)
}

// Key encrypts one backup in transit. Its text is no secret.
type Key struct{ identity *age.X25519Identity }

// NewKey makes a key.
func NewKey() (*Key, error) {
	identity, err := age.GenerateX25519Identity()
	return &Key{identity}, err
}

// String is the public part, which others encrypt to.
func (k *Key) String() string { return k.identity.Recipient().String() }

// Open opens what was encrypted to the key, as [Open] does.
func (k *Key) Open(r io.Reader) (io.Reader, error) { return open(r, k.identity) }

// SealTo returns a writer that encrypts to a key, given as its text. The output is
// complete when it is closed.
func SealTo(w io.Writer, key string) (io.WriteCloser, error) {
	to, err := age.ParseX25519Recipient(key)
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	return age.Encrypt(w, to)
}

// CheckKey refuses a text that is not one of a [Key].
func CheckKey(key string) error {
	_, err := age.ParseX25519Recipient(key)
	return err
}

func open(r io.Reader, by age.Identity) (io.Reader, error) {
	source := &source{r: r}
	plain, err := age.Decrypt(source, by)
	if err != nil {
		return nil, source.judge(err)
	}
	return &opened{plain, source}, nil
}

// source remembers the error of reading: age does not distinguish a changed file from an
// unreadable one.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil {
		s.err = err
	}
	return n, err
}

// judge says what an error of age means.
func (s *source) judge(err error) error {
	if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
		return ErrPassphrase
	}
	switch {
	case s.err == nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case errors.Is(s.err, io.EOF), errors.Is(s.err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it is cut off, or was changed: %w", ErrDamaged, err)
	}
	return s.err
}

// opened reads what is decrypted.
type opened struct {
	r      io.Reader
	source *source
}

func (o *opened) Read(b []byte) (int, error) {
	n, err := o.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = o.source.judge(err)
	}
	return n, err
}
