package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"ssod/persistence"
)

// NodeID numbers a node.
type NodeID = persistence.NodeID

// version is the version of the protocol.
const version = 1

// magic begins every greeting.
const magic = "ssod"

// purpose says what a connection is for.
type purpose byte

const (
	forFrames purpose = iota + 1
	forSnapshot
	forCall
	// forJoin is for one request of a node that is no member yet: it has no id
	// and knows of no cluster. Its certificate must be good all the same.
	forJoin
)

// greeting is the first frame of a connection in either direction. Up to the
// version its layout never changes.
type greeting struct {
	purpose purpose
	to      NodeID
	from    Peer
	boots   persistence.Boots
	durable uint64 // the newest write of the sender that is on its disk
	cluster string

	// first: it begins the frames of its sender, and all frames before are of
	// an earlier time. Only such a greeting, and the pings behind it, tell how
	// far the sender is: others may overtake them. It is not on the wire.
	first bool
}

func (g *greeting) encode() []byte {
	b := binary.BigEndian.AppendUint16([]byte(magic), version)
	b = append(b, byte(g.purpose))
	b = binary.BigEndian.AppendUint32(b, uint32(g.to))
	b = binary.BigEndian.AppendUint32(b, uint32(g.from.ID))
	b = binary.BigEndian.AppendUint64(b, g.durable)
	b = g.boots.Append(b)
	for _, s := range []string{g.cluster, g.from.Name, g.from.Addr} {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	return b
}

func decodeGreeting(b []byte) (g greeting, err error) {
	rest, ok := strings.CutPrefix(string(b), magic)
	if !ok || len(rest) < 2 {
		return g, fmt.Errorf("%w: no greeting", ErrProtocol)
	}
	if v := binary.BigEndian.Uint16([]byte(rest)); v != version {
		return g, fmt.Errorf("%w: version %d, this node speaks %d", ErrProtocol, v, version)
	}
	const fixed = 2 + 1 + 4 + 4 + 8
	if len(rest) < fixed {
		return g, fmt.Errorf("%w: short greeting", ErrProtocol)
	}
	head, rest := []byte(rest[:fixed]), rest[fixed:]
	g.purpose = purpose(head[2])
	g.to = NodeID(binary.BigEndian.Uint32(head[3:]))
	g.from.ID = NodeID(binary.BigEndian.Uint32(head[7:]))
	g.durable = binary.BigEndian.Uint64(head[11:])
	boots, strings, err := persistence.CutBoots([]byte(rest))
	if err != nil {
		return g, fmt.Errorf("%w: short greeting", ErrProtocol)
	}
	g.boots, rest = boots, string(strings)
	for _, s := range []*string{&g.cluster, &g.from.Name, &g.from.Addr} {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return g, fmt.Errorf("%w: short greeting", ErrProtocol)
		}
		n := 1 + int(rest[0])
		*s, rest = rest[1:n], rest[n:]
	}
	if rest != "" {
		return g, fmt.Errorf("%w: long greeting", ErrProtocol)
	}
	return g, nil
}

// refusals numbers the errors that the other side is told. Numbers are never
// given to another error.
var refusals = map[byte]error{
	1: ErrProtocol, 2: ErrCluster, 3: ErrNode, 4: ErrRemoved, 5: ErrBusy, 6: ErrRefused,
	7: ErrOlder, 8: ErrTwice,
}

// encodeRefusal says err to the other side: a number and a text.
func encodeRefusal(err error) []byte {
	code, text := byte(6), err.Error()
	for c, e := range refusals {
		if errors.Is(err, e) {
			code = c
		}
	}
	return append([]byte{code}, text[:min(len(text), firstFrame-2)]...)
}

// decodeRefusal is the error that the other side said. Its text is quoted, for
// it may hold anything.
func decodeRefusal(b []byte) error {
	if len(b) == 0 || refusals[b[0]] == nil {
		return fmt.Errorf("%w: unknown refusal", ErrProtocol)
	}
	return &refusal{refusals[b[0]], string(b[1:])}
}

// refusal is what another node said about why it refuses this one.
type refusal struct {
	reason error
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("the other node says %q", r.text) }
func (r *refusal) Unwrap() error { return r.reason }
