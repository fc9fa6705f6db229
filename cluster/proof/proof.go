package proof

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"ssod/cluster/secret"
)

const (
	// version is the version of the handshake.
	version = 2
	// magic begins what either end says first.
	magic     = "ssod"
	nonceSize = 32
	macSize   = sha256.Size
	// MaxStatement bounds a statement in bytes.
	MaxStatement = 2 << 10
)

var (
	// ErrProtocol: what came is not this protocol, or not this version of it.
	ErrProtocol = errors.New("not this protocol or version")
	// ErrSecret: the other end does not know the cluster's secret, or means
	// another address.
	ErrSecret = errors.New("the cluster's secret is not proven")
)

// Port is what an end of a connection proves itself by.
type Port struct {
	Ring *secret.Ring
	Use  secret.Use
	// Address is the one that was dialed, or the one that the acceptor
	// advertises.
	Address string
	// TLS is the state of the connection; nil without TLS.
	TLS *tls.ConnectionState
}

// The roles, which are what a MAC says.
const (
	challenges = "acceptor" // to any dialer
	claims     = "dialer"
	answers    = "acceptor to a dialer that is proven"
)

// handshake is what both ends of one know.
type handshake struct {
	port    Port
	keys    []secret.Key
	binding []byte
	nonces  [2][nonceSize]byte // of the dialer and of the acceptor
	claim   []byte             // the MAC of the dialer
}

func begin(p Port) (*handshake, error) {
	h := &handshake{port: p, keys: p.Ring.For(p.Use)}
	if p.TLS != nil {
		var err error
		if h.binding, err = p.TLS.ExportKeyingMaterial("EXPORTER-ssod-cluster-secret", nil, 32); err != nil {
			return nil, fmt.Errorf("binding to TLS: %w", err)
		}
	}
	return h, nil
}

// Dial proves that this end knows the secret, and makes a statement when the other
// end has proven it. It returns the answer.
func Dial(c io.ReadWriter, p Port, statement []byte) (answer []byte, err error) {
	h, err := begin(p)
	if err != nil {
		return nil, err
	}
	rand.Read(h.nonces[0][:]) // never fails since Go 1.24
	if _, err := c.Write(append(hello(), h.nonces[0][:]...)); err != nil {
		return nil, err
	}
	if err := readHello(c); err != nil {
		return nil, err
	}
	challenge := make([]byte, macSize)
	if err := readAll(c, h.nonces[1][:], challenge); err != nil {
		return nil, err
	}
	if !h.proves(challenge, challenges, nil) {
		return nil, fmt.Errorf("%w: the node at %s has another secret, or advertises another address", ErrSecret, p.Address)
	}
	h.claim = h.mac(h.keys[0], claims, statement)
	if err := write(c, h.claim, statement); err != nil {
		return nil, err
	}
	return h.read(c, answers)
}

// Guest is a dialer that has proven that it knows the secret.
type Guest struct {
	// Statement is what it says.
	Statement []byte

	c io.Writer
	h *handshake
}

// Accept waits for the proof of a dialer. The guest is to be answered.
func Accept(c io.ReadWriter, p Port) (*Guest, error) {
	h, err := begin(p)
	if err != nil {
		return nil, err
	}
	if err := readHello(c); err != nil {
		if errors.Is(err, errVersion) {
			_, _ = c.Write(hello()) // the other end may know what to make of it
		}
		return nil, err
	}
	if err := readAll(c, h.nonces[0][:]); err != nil {
		return nil, err
	}
	rand.Read(h.nonces[1][:]) // never fails since Go 1.24
	challenge := append(hello(), h.nonces[1][:]...)
	if _, err := c.Write(append(challenge, h.mac(h.keys[0], challenges, nil)...)); err != nil {
		return nil, err
	}
	g := &Guest{c: c, h: h}
	if g.Statement, err = h.read(c, claims); err != nil {
		return nil, err
	}
	return g, nil
}

// Answer makes the acceptor's statement.
func (g *Guest) Answer(statement []byte) error {
	return write(g.c, g.h.mac(g.h.keys[0], answers, statement), statement)
}

// mac is what role says with a statement.
func (h *handshake) mac(key secret.Key, role string, statement []byte) []byte {
	m := hmac.New(sha256.New, key[:])
	fields := [][]byte{
		hello(), []byte(h.port.Use), []byte(role), h.nonces[0][:], h.nonces[1][:],
		[]byte(h.port.Address), h.binding, h.claim, statement,
	}
	for _, field := range fields {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
		m.Write(field)
	}
	return m.Sum(nil)
}

// proves reports whether a MAC is good under one of the keys.
func (h *handshake) proves(mac []byte, role string, statement []byte) bool {
	good := false
	for _, key := range h.keys {
		good = hmac.Equal(mac, h.mac(key, role, statement)) || good
	}
	return good
}

// read reads a statement that is proven.
func (h *handshake) read(c io.Reader, role string) ([]byte, error) {
	head := make([]byte, macSize+2)
	if err := readAll(c, head); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint16(head[macSize:])
	if size > MaxStatement {
		return nil, fmt.Errorf("%w: a statement of %d bytes", ErrProtocol, size)
	}
	statement := make([]byte, size)
	if err := readAll(c, statement); err != nil {
		return nil, err
	}
	mac := head[:macSize]
	if !h.proves(mac, role, statement) {
		return nil, ErrSecret
	}
	if role == claims {
		h.claim = mac
	}
	return statement, nil
}

func write(c io.Writer, mac, statement []byte) error {
	if len(statement) > MaxStatement {
		return fmt.Errorf("%w: a statement of %d bytes", ErrProtocol, len(statement))
	}
	b := binary.BigEndian.AppendUint16(append([]byte(nil), mac...), uint16(len(statement)))
	_, err := c.Write(append(b, statement...))
	return err
}

func hello() []byte { return binary.BigEndian.AppendUint16([]byte(magic), version) }

// errVersion is an ErrProtocol of an end that speaks another version.
var errVersion = fmt.Errorf("%w", ErrProtocol)

func readHello(c io.Reader) error {
	head := make([]byte, len(magic)+2)
	if err := readAll(c, head); err != nil {
		return err
	}
	if string(head[:len(magic)]) != magic {
		return fmt.Errorf("%w: no greeting", ErrProtocol)
	}
	if v := binary.BigEndian.Uint16(head[len(magic):]); v != version {
		return fmt.Errorf("%w: version %d, this node speaks %d", errVersion, v, version)
	}
	return nil
}

// readAll fills all buffers.
func readAll(c io.Reader, buffers ...[]byte) error {
	for _, b := range buffers {
		if _, err := io.ReadFull(c, b); err != nil {
			return err
		}
	}
	return nil
}
