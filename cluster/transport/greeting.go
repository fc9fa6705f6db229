package transport

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ssod/cluster/proof"
	"ssod/persistence"
	"ssod/persistence/level"
)

// NodeID numbers a node.
type NodeID = persistence.NodeID

// purpose says what a connection is for.
type purpose byte

const (
	forFrames purpose = iota + 1
	forSnapshot
	forCall
	// forJoin is for one request of a node that is no member yet: it has the secret and a
	// good certificate, but no id and no cluster.
	forJoin
)

// greeting is what each side says of itself with its proof.
type greeting struct {
	purpose purpose
	to      NodeID
	from    Peer
	boots   persistence.Boots
	durable uint64 // the newest write of the sender that is on its disk
	cluster string
	levels  level.Range // the format levels that the sender knows
	level   int         // that of the cluster, as far as it knows

	// first: it begins the frames of its sender. Only in such a greeting and the pings
	// after it is durable in order; connections overtake each other. It is not on the
	// wire.
	first bool
}

func (g *greeting) encode() []byte {
	b := []byte{byte(kindGreeting), byte(g.purpose)}
	b = binary.BigEndian.AppendUint32(b, uint32(g.to))
	b = binary.BigEndian.AppendUint32(b, uint32(g.from.ID))
	b = binary.BigEndian.AppendUint64(b, g.durable)
	for _, n := range []int{g.levels.Oldest, g.levels.Newest, g.level} {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	b = g.boots.Append(b)
	for _, s := range []string{g.cluster, g.from.Name, g.from.Addr} {
		b = append(b, byte(len(s)))
		b = append(b, s...)
	}
	return b
}

// decodeGreeting decodes a greeting; a refusal is an error.
func decodeGreeting(b []byte) (g greeting, err error) {
	const fixed = 1 + 1 + 4 + 4 + 8 + 3*2
	switch {
	case len(b) > 0 && kind(b[0]) == kindRefusal:
		return g, decodeRefusal(b[1:])
	case len(b) == 0 || kind(b[0]) != kindGreeting:
		return g, fmt.Errorf("%w: no greeting", ErrProtocol)
	case len(b) < fixed:
		return g, fmt.Errorf("%w: short greeting", ErrProtocol)
	}
	g.purpose = purpose(b[1])
	g.to = NodeID(binary.BigEndian.Uint32(b[2:]))
	g.from.ID = NodeID(binary.BigEndian.Uint32(b[6:]))
	g.durable = binary.BigEndian.Uint64(b[10:])
	g.levels = level.Range{Oldest: int(binary.BigEndian.Uint16(b[18:])), Newest: int(binary.BigEndian.Uint16(b[20:]))}
	g.level = int(binary.BigEndian.Uint16(b[22:]))
	boots, strings, err := persistence.CutBoots(b[fixed:])
	if err != nil {
		return g, fmt.Errorf("%w: short greeting", ErrProtocol)
	}
	g.boots = boots
	rest := string(strings)
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

// refusals numbers the errors that are sent to the other side. A number always keeps its
// error.
var refusals = map[byte]error{
	1: ErrProtocol, 2: ErrCluster, 3: ErrNode, 4: ErrRemoved, 5: ErrBusy, 6: ErrRefused,
	7: ErrOlder, 8: ErrTwice, 9: ErrUnregistered, 10: ErrCertificate, 11: ErrLevel,
}

// encodeRefusal encodes err: a number and a text.
func encodeRefusal(err error) []byte {
	code, text := byte(6), err.Error()
	for c, e := range refusals {
		if errors.Is(err, e) {
			code = c
		}
	}
	return append([]byte{code}, text[:min(len(text), proof.MaxStatement-2)]...)
}

// decodeRefusal is the error that the other side sent. Its text is quoted, as it may hold
// anything.
func decodeRefusal(b []byte) error {
	if len(b) == 0 || refusals[b[0]] == nil {
		return fmt.Errorf("%w: unknown refusal", ErrProtocol)
	}
	return &refusal{refusals[b[0]], string(b[1:])}
}

// refusal is why another node refuses this one.
type refusal struct {
	reason error
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("the other node says %q", r.text) }
func (r *refusal) Unwrap() error { return r.reason }
