package intent

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"ssod/actors"
	"ssod/cluster"
)

// Max is how many intents an entity may have open. A command that would make more must be
// refused: the targets cannot be reached at the moment.
const Max = 128

// grace is how long the front end has to carry out intents before the entity does.
const grace = 2 * time.Second

// Promises collects the intents that a decision makes. Their ids follow from the
// request, so a decision that is taken again makes the same ones.
type Promises struct {
	Request cluster.RequestID
	Step    uint32
	At      actors.Times
	made    []*Intent
}

// Add makes one more intent.
func (p *Promises) Add(to *Place, command proto.Message) {
	packed := &anypb.Any{}
	if err := anypb.MarshalFrom(packed, command, proto.MarshalOptions{Deterministic: true}); err != nil {
		panic(fmt.Sprintf("intent: %T cannot be encoded", command)) // text that is not UTF-8
	}
	p.made = append(p.made, &Intent{Id: p.id(), To: to, Command: packed, MadeMs: p.At.Now.UnixMilli()})
}

// Made returns what was added.
func (p *Promises) Made() []*Intent { return p.made }

// id names the next intent of the request.
func (p *Promises) id() []byte {
	b := append([]byte("intent\x00"), p.Request[:]...)
	b = binary.BigEndian.AppendUint32(b, p.Step)
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.made)))
	sum := sha256.Sum256(b)
	return sum[:len(p.Request)]
}

// Without returns the intents that are not among the settled ones.
func Without(open []*Intent, m *Settle) []*Intent {
	return slices.DeleteFunc(slices.Clone(open), func(i *Intent) bool {
		return slices.ContainsFunc(m.GetId(), func(id []byte) bool { return bytes.Equal(id, i.GetId()) })
	})
}

// Overdue reports whether some intent should have been settled by now.
func Overdue(open []*Intent, now time.Time) bool {
	return slices.ContainsFunc(open, func(i *Intent) bool {
		return now.UnixMilli()-i.GetMadeMs() >= grace.Milliseconds()
	})
}

// At is the place of an address.
func At(a actors.Address) *Place {
	p := &Place{Kind: a.Kind}
	for _, part := range a.Identity {
		p.Identity = append(p.Identity, []byte(part))
	}
	return p
}

// Address is the address of a place.
func (p *Place) Address() actors.Address {
	a := actors.Address{Kind: p.GetKind()}
	for _, part := range p.GetIdentity() {
		a.Identity = append(a.Identity, string(part))
	}
	return a
}
