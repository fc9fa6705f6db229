package membership

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/memberlist"
)

// Meta is what a member tells about itself. All of it together has to fit in 512
// bytes.
type Meta struct {
	// Cluster is the id of the member's cluster; empty: it is about to join.
	Cluster string
	// NodeID numbers the node in its cluster; 0: it has none yet.
	NodeID uint32
	// Where the node's listeners are reached.
	RPC, Raft, HTTP, Admin string
	// Config is a digest of the node's configuration file.
	Config string
	// Version is that of the program.
	Version string
}

// ErrMeta says that a Meta does not fit or cannot be read.
var ErrMeta = errors.New("node metadata")

// metaFormat begins every Meta.
const metaFormat = 1

func (m *Meta) fields() []*string {
	return []*string{&m.Cluster, &m.RPC, &m.Raft, &m.HTTP, &m.Admin, &m.Config, &m.Version}
}

// encode is format | node id uint32 | (length byte, bytes)*. Later formats of
// the same number may append fields.
func (m Meta) encode() ([]byte, error) {
	b := binary.BigEndian.AppendUint32([]byte{metaFormat}, m.NodeID)
	for _, s := range m.fields() {
		if len(*s) > 255 {
			return nil, fmt.Errorf("%w: a field of %d bytes", ErrMeta, len(*s))
		}
		b = append(b, byte(len(*s)))
		b = append(b, *s...)
	}
	if len(b) > memberlist.MetaMaxSize {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrMeta, len(b), memberlist.MetaMaxSize)
	}
	return b, nil
}

func decodeMeta(b []byte) (m Meta, err error) {
	if len(b) < 5 || b[0] != metaFormat {
		return m, fmt.Errorf("%w: unknown format", ErrMeta)
	}
	m.NodeID = binary.BigEndian.Uint32(b[1:])
	rest := b[5:]
	for _, s := range m.fields() {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return Meta{}, fmt.Errorf("%w: cut off", ErrMeta)
		}
		n := 1 + int(rest[0])
		*s, rest = string(rest[1:n]), rest[n:]
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
