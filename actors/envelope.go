package actors

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/stream"
)

// The payload of an envelope between nodes:
//
//	command: flags byte | shard | term | [voucher: term | replica] |
//	         request, 16 bytes | step | attempt | deadline, milliseconds |
//	         kind | identity | message
//	answer:  attempt | code byte | OK:        message
//	                             | NOT_OWNER: term | owner, to the end
//	                             | OVERLOADED: milliseconds until another may be
//	                               admitted, 0: unknown
//	message: full protobuf name | encoding, to the end
//
// Numbers are uvarints; kind, identity and name are preceded by their length.

const (
	flagRepeated = 1 << iota // the command may have been sent before
	flagVouched              // there is a voucher
	flagsAll     = 1<<iota - 1
)

// scratch are buffers for payloads, which a link copies.
var scratch = sync.Pool{New: func() any { return new(make([]byte, 0, 1024)) }}

// outgoing is a command for another node.
type outgoing struct {
	shard    cluster.ShardID
	term     uint64
	voucher  cluster.Voucher
	target   target
	request  cluster.RequestID
	step     uint32
	deadline int64 // Unix milliseconds
	repeated bool
	message  proto.Message
}

// append encodes the command as one attempt.
func (m *outgoing) append(b []byte, number uint32) ([]byte, error) {
	flags := byte(0)
	if m.repeated {
		flags = flagRepeated
	}
	if m.voucher.Replica != 0 {
		flags |= flagVouched
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(m.shard))
	b = binary.AppendUvarint(b, m.term)
	if m.voucher.Replica != 0 {
		b = binary.AppendUvarint(b, m.voucher.Term)
		b = binary.AppendUvarint(b, m.voucher.Replica)
	}
	b = append(b, m.request[:]...)
	b = binary.AppendUvarint(b, uint64(m.step))
	b = binary.AppendUvarint(b, uint64(number))
	b = binary.AppendUvarint(b, uint64(m.deadline))
	b = appendString(b, m.target.kind.Name)
	b = appendString(b, m.target.identity)
	return appendMessage(b, m.message)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// incoming is a command of another node. Its bytes are valid until the next envelope.
type incoming struct {
	flags                  byte
	shard, term            uint64
	voucher                cluster.Voucher
	request                cluster.RequestID
	step, number, deadline uint64
	kind, identity         []byte
	name, value            []byte // of the message
}

func (m *incoming) decode(b []byte) error {
	p := parser{b: b}
	m.flags = p.byte()
	m.shard, m.term = p.uvarint(), p.uvarint()
	if m.flags&flagVouched != 0 {
		m.voucher = cluster.Voucher{Term: p.uvarint(), Replica: p.uvarint()}
		p.bad = p.bad || m.voucher.Replica == 0
	}
	copy(m.request[:], p.bytes(len(m.request)))
	m.step, m.number, m.deadline = p.uint32(), p.uint32(), p.uvarint()
	m.kind, m.identity, m.name = p.string(), p.string(), p.string()
	m.value = p.b
	if p.bad || m.flags > flagsAll || m.deadline > 1<<62 {
		return fmt.Errorf("%w: command of %d bytes", stream.ErrEnvelope, len(b))
	}
	return nil
}

// turn returns the command as a turn that is not admitted yet.
func (m *incoming) turn(from *stream.Link, o origin) *Turn {
	return &Turn{
		origin:   o,
		state:    arrived(m.flags&flagRepeated != 0),
		attempt:  attempt{request: m.request, step: uint32(m.step), number: uint32(m.number)},
		deadline: int64(m.deadline),
		term:     m.term,
		voucher:  m.voucher,
		size:     ownSize + int32(len(m.value)),
		from:     from,
	}
}

// appendAnswer encodes the answer to an attempt.
func appendAnswer(b []byte, number uint32, ans answer) ([]byte, error) {
	b = append(binary.AppendUvarint(b, uint64(number)), byte(ans.code))
	switch ans.code {
	case Code_OK:
		return appendMessage(b, ans.reply)
	case Code_NOT_OWNER:
		b = append(binary.AppendUvarint(b, ans.owner.Term), ans.owner.Address...)
	case Code_OVERLOADED:
		b = binary.AppendUvarint(b, uint64(ans.after.Milliseconds()))
	}
	return b, nil
}

// decodeAnswer reads an answer. A reply that cannot be read is a fault of the entity's
// code.
func decodeAnswer(b []byte) (number uint32, ans answer, err error) {
	p := parser{b: b}
	number, ans.code = uint32(p.uint32()), Code(p.byte())
	switch ans.code {
	case Code_OK:
		name := p.string()
		var err error
		if ans.reply, err = decodeMessage(name, p.b); err != nil {
			ans = answer{code: Code_FAILED}
		}
	case Code_NOT_OWNER:
		ans.owner = cluster.Owner{Term: p.uvarint(), Address: string(p.b)}
	case Code_OVERLOADED:
		ans.after = time.Duration(p.uint32()) * time.Millisecond
		p.bad = p.bad || len(p.b) > 0
	case Code_REFUSED, Code_EXPIRED, Code_UNAVAILABLE, Code_UNKNOWN, Code_FAILED:
		p.bad = p.bad || len(p.b) > 0
	default:
		p.bad = true
	}
	if p.bad {
		return 0, answer{}, fmt.Errorf("%w: answer of %d bytes", stream.ErrEnvelope, len(b))
	}
	return number, ans, nil
}

// parser cuts a payload up. After a mistake it returns zeros.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) fail() {
	p.b, p.bad = nil, true
}

func (p *parser) byte() byte {
	if b := p.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *parser) bytes(n int) []byte {
	if n > len(p.b) {
		p.fail()
		return nil
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b
}

func (p *parser) uvarint() uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 || n > 1 && p.b[n-1] == 0 { // cut short, too long, or not the shortest
		p.fail()
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *parser) uint32() uint64 {
	v := p.uvarint()
	if v > 1<<32-1 {
		p.fail()
		return 0
	}
	return v
}

func (p *parser) string() []byte {
	n := p.uvarint()
	if n > uint64(len(p.b)) {
		p.fail()
		return nil
	}
	return p.bytes(int(n))
}
