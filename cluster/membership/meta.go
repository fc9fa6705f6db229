package membership

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"

	"github.com/hashicorp/memberlist"
)

// Meta is what a member announces. It must fit in 512 bytes, so a host that several
// addresses share is sent once.
type Meta struct {
	// Cluster is the id of the member's cluster; empty: it is about to join.
	Cluster string
	// NodeID numbers the node in its cluster; 0: it has none yet.
	NodeID uint32
	// FreeDisk is how many bytes of its disk are free, in whole MiB; 0: unknown.
	FreeDisk uint64
	// Config is a digest of the node's configuration file.
	Config string
	// Version is that of the program.
	Version string
	// Where the node's listeners are reached by others.
	Raft, RPC, HTTP string
}

// ErrMeta says that a Meta does not fit or cannot be decoded.
var ErrMeta = errors.New("node metadata")

// metaFormat begins every Meta.
const metaFormat = 2

const (
	// maxField is the length of the longest string, which is that of a host name.
	maxField = 253
	// atHost stands for the length of an address that is at the host; two bytes of
	// port follow.
	atHost = 255
)

func (m *Meta) addresses() []*string { return []*string{&m.Raft, &m.RPC, &m.HTTP} }

// encode is
//
//	format | node id uint32 | free disk in MiB uint32 | (length, bytes)* |
//	(255, port uint16 | length, bytes)* of the addresses
//
// of cluster, configuration, version, and the host that most addresses have. Later
// formats of the same number may append fields.
func (m Meta) encode() ([]byte, error) {
	b := binary.BigEndian.AppendUint32([]byte{metaFormat}, m.NodeID)
	b = binary.BigEndian.AppendUint32(b, uint32(min(m.FreeDisk>>20, math.MaxUint32)))
	host, _, _ := net.SplitHostPort(m.Raft)
	for _, s := range []string{m.Cluster, m.Config, m.Version, host} {
		if len(s) > maxField {
			return nil, fmt.Errorf("%w: %d bytes, the limit is %d: %s", ErrMeta, len(s), maxField, s)
		}
		b = appendField(b, s)
	}
	for _, s := range m.addresses() {
		switch port, is := portAt(*s, host); {
		case is:
			b = binary.BigEndian.AppendUint16(append(b, atHost), port)
		case len(*s) > maxField:
			return nil, fmt.Errorf("%w: an address of %d bytes, the limit is %d: %s", ErrMeta, len(*s), maxField, *s)
		default:
			b = appendField(b, *s)
		}
	}
	if len(b) > memberlist.MetaMaxSize {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d: the hosts of %s, %s and %s are too long together; "+
			"let others dial one host, a shorter one or an IP address", ErrMeta, len(b), memberlist.MetaMaxSize, m.Raft, m.RPC, m.HTTP)
	}
	return b, nil
}

func appendField(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

// portAt is the port of an address at a host, if the two make exactly that address.
func portAt(address, host string) (port uint16, is bool) {
	_, number, err := net.SplitHostPort(address)
	n, numberErr := strconv.ParseUint(number, 10, 16)
	return uint16(n), err == nil && numberErr == nil && at(host, uint16(n)) == address
}

func at(host string, port uint16) string { return net.JoinHostPort(host, strconv.Itoa(int(port))) }

func decodeMeta(b []byte) (m Meta, err error) {
	if len(b) < 9 || b[0] != metaFormat {
		return m, fmt.Errorf("%w: unknown format", ErrMeta)
	}
	m.NodeID = binary.BigEndian.Uint32(b[1:])
	m.FreeDisk = uint64(binary.BigEndian.Uint32(b[5:])) << 20
	var host string
	rest := b[9:]
	for _, s := range append([]*string{&m.Cluster, &m.Config, &m.Version, &host}, m.addresses()...) {
		switch {
		case len(rest) >= 3 && rest[0] == atHost:
			*s, rest = at(host, binary.BigEndian.Uint16(rest[1:])), rest[3:]
		case len(rest) == 0 || rest[0] > maxField || len(rest) < 1+int(rest[0]):
			return Meta{}, fmt.Errorf("%w: cut off", ErrMeta)
		default:
			n := 1 + int(rest[0])
			*s, rest = string(rest[1:n]), rest[n:]
		}
	}
	return m, nil
}

// memberName is how memberlist knows a member: name.incarnation. Node names
// have no dots.
func memberName(name string, incarnation uint64) string {
	return name + "." + strconv.FormatUint(incarnation, 16)
}

func splitName(s string) (name string, incarnation uint64, err error) {
	name, digits, ok := strings.Cut(s, ".")
	if incarnation, err = strconv.ParseUint(digits, 16, 64); !ok || err != nil || name == "" {
		return "", 0, fmt.Errorf("%w: member name %q", ErrMeta, s)
	}
	return name, incarnation, nil
}
