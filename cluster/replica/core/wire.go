package core

import (
	"encoding/binary"
	"math"

	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// Forms of a message in a frame. The four types that are sent for every commit and
// heartbeat have one of their own, in a third of protobuf's time and a fifth of its
// allocations; the others are protobuf.
const (
	formProto byte = iota
	formApp
	formAppResp
	formHeartbeat
	formHeartbeatResp
	forms
)

// kinds are the types of messages by their form.
var kinds = [forms]pb.MessageType{
	formApp: pb.MsgApp, formAppResp: pb.MsgAppResp, formHeartbeat: pb.MsgHeartbeat, formHeartbeatResp: pb.MsgHeartbeatResp,
}

// What a message has besides its type, sender and receiver, as a bit set. Numbers
// follow in this order, then the context and the entries.
const (
	hasTerm = 1 << iota
	hasLogTerm
	hasIndex
	hasCommit
	hasRejectHint
	hasContext
	hasEntries
	hasReject
	rejects
	hasAll = 1<<iota - 1
)

// What an entry has that does not follow from its message, as a bit set in a byte.
const (
	entryHasData = 1 << iota
	entryHasTerm
	entryHasIndex
	entryHasType
	entryHasAll = 1<<iota - 1
)

// formOf returns the form of a message: protobuf if it has something that its own form
// cannot express.
func formOf(m *pb.Message) byte {
	form := formProto
	switch m.GetType() {
	case pb.MsgApp:
		form = formApp
	case pb.MsgAppResp:
		form = formAppResp
	case pb.MsgHeartbeat:
		form = formHeartbeat
	case pb.MsgHeartbeatResp:
		form = formHeartbeatResp
	}
	if m.To == nil || m.From == nil || m.Vote != nil || m.Snapshot != nil || len(m.Responses) > 0 {
		return formProto
	}
	for _, e := range m.Entries {
		if e.Term == nil || e.Index == nil || e.GetType() < 0 {
			return formProto
		}
	}
	return form
}

// appendMessage encodes a message in a form of its own:
//
//	set | to | from | number* | length context | count entry*
//	entry: set byte | term | index | type | length data
//
// An entry has the term of the message and the next index unless it says otherwise.
func appendMessage(b []byte, m *pb.Message) []byte {
	b = binary.AppendUvarint(b, contents(m))
	b = binary.AppendUvarint(b, m.GetTo())
	b = binary.AppendUvarint(b, m.GetFrom())
	for _, n := range [...]*uint64{m.Term, m.LogTerm, m.Index, m.Commit, m.RejectHint} {
		if n != nil {
			b = binary.AppendUvarint(b, *n)
		}
	}
	if m.Context != nil {
		b = appendBytes(b, m.Context)
	}
	if len(m.Entries) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(m.Entries)))
	for i, e := range m.Entries {
		b = appendLogEntry(b, e, m.GetTerm(), m.GetIndex()+1+uint64(i))
	}
	return b
}

func contents(m *pb.Message) (set uint64) {
	for i, n := range [...]*uint64{m.Term, m.LogTerm, m.Index, m.Commit, m.RejectHint} {
		if n != nil {
			set |= 1 << i
		}
	}
	if m.Context != nil {
		set |= hasContext
	}
	if len(m.Entries) > 0 {
		set |= hasEntries
	}
	if m.Reject != nil {
		set |= hasReject
	}
	if m.GetReject() {
		set |= rejects
	}
	return set
}

func appendLogEntry(b []byte, e *pb.Entry, term, index uint64) []byte {
	at := len(b)
	b = append(b, 0)
	set := byte(0)
	if *e.Term != term {
		set |= entryHasTerm
		b = binary.AppendUvarint(b, *e.Term)
	}
	if *e.Index != index {
		set |= entryHasIndex
		b = binary.AppendUvarint(b, *e.Index)
	}
	if e.Type != nil {
		set |= entryHasType
		b = binary.AppendUvarint(b, uint64(*e.Type))
	}
	if e.Data != nil {
		set |= entryHasData
		b = appendBytes(b, e.Data)
	}
	b[at] = set
	return b
}

// messages allocates the messages of a frame.
type messages struct{ room slab[message] }

// next decodes a message, the first of those left.
func (ms *messages) next(d *decoder, form byte, left uint64) (*pb.Message, error) {
	if form == formProto {
		m := &pb.Message{}
		return m, proto.Unmarshal(d.take(d.uvarint()), m)
	}
	m := ms.room.next(left)
	m.decode(d, form)
	return &m.Message, nil
}

// message is a message and what it points to, in one allocation.
type message struct {
	pb.Message
	kind     pb.MessageType
	to, from uint64
	numbers  [5]uint64
	reject   bool
}

// decode decodes a message in a form of its own. It does not share d's bytes: its entries
// share one block of memory, so they keep nothing else alive while they are in the log.
func (m *message) decode(d *decoder, form byte) {
	set := d.uvarint()
	if set > hasAll || set&rejects != 0 && set&hasReject == 0 {
		d.fail()
	}
	m.kind, m.to, m.from = kinds[form], d.uvarint(), d.uvarint()
	m.Type, m.To, m.From = &m.kind, &m.to, &m.from
	for i, n := range [...]**uint64{&m.Term, &m.LogTerm, &m.Index, &m.Commit, &m.RejectHint} {
		if set&(1<<i) != 0 {
			m.numbers[i] = d.uvarint()
			*n = &m.numbers[i]
		}
	}
	if set&hasReject != 0 {
		m.reject = set&rejects != 0
		m.Reject = &m.reject
	}
	if set&hasContext != 0 {
		m.Context = append([]byte{}, d.take(d.uvarint())...)
	}
	if set&hasEntries != 0 {
		m.Entries = decodeEntries(d, m.GetTerm(), m.GetIndex()+1)
	}
}

// logEntry is an entry and what it points to.
type logEntry struct {
	pb.Entry
	term, index uint64
	kind        pb.EntryType
}

func decodeEntries(d *decoder, term, index uint64) []*pb.Entry {
	n := d.count()
	if n == 0 {
		d.fail() // the set would lack hasEntries
	}
	var room slab[logEntry]
	es := make([]*pb.Entry, 0, min(n, maxRoom))
	size := 0
	for i := uint64(0); i < n && !d.bad; i++ {
		e := room.next(n - i)
		e.decode(d, term, index+i)
		es = append(es, &e.Entry)
		size += len(e.Data)
	}
	if d.bad {
		return nil
	}
	block := make([]byte, 0, size)
	for _, e := range es {
		if from := len(block); e.Data != nil {
			block = append(block, e.Data...)
			e.Data = block[from:len(block):len(block)]
		}
	}
	return es
}

// decode decodes an entry, whose data shares d's bytes.
func (e *logEntry) decode(d *decoder, term, index uint64) {
	set := d.byte()
	if set > entryHasAll {
		d.fail()
	}
	e.term, e.index = term, index
	e.Term, e.Index = &e.term, &e.index
	if set&entryHasTerm != 0 {
		e.term = d.uvarint()
	}
	if set&entryHasIndex != 0 {
		e.index = d.uvarint()
	}
	if set&entryHasType != 0 {
		kind := d.uvarint()
		if kind > math.MaxInt32 {
			d.fail()
			return
		}
		e.kind = pb.EntryType(kind)
		e.Type = &e.kind
	}
	if set&entryHasData != 0 {
		e.Data = d.take(d.uvarint())
	}
}

// slab allocates values in blocks of at most [maxRoom], so that memory follows what has
// come and not what was announced.
type slab[T any] struct{ room []T }

// next returns a new value, the first of those left.
func (s *slab[T]) next(left uint64) *T {
	if len(s.room) == 0 {
		s.room = make([]T, max(1, min(left, maxRoom)))
	}
	v := &s.room[0]
	s.room = s.room[1:]
	return v
}
