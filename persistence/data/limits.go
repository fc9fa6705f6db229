package data

import (
	"fmt"
	"time"
)

// Limits of a commit. They bound memory and keys, well above what entities need.
const (
	// MaxKind is the longest Entity.Kind in bytes.
	MaxKind = 32
	// MaxIdentity is the longest Entity.Identity in bytes.
	MaxIdentity = 1024
	// MaxPart is the longest Record.Part in bytes.
	MaxPart = 512
	// MaxValue is the longest head state, record value or outcome result.
	MaxValue = 1 << 20
	// MaxCommit bounds the sum of all values and keys of one commit.
	MaxCommit = 4 << 20
)

// OutcomeWindow is the least time that an outcome is kept, in shard time.
const OutcomeWindow = 60 * time.Second

// Size is about the number of bytes that c adds to a batch.
func (c *Commit) Size() int {
	entity := len(c.Entity.Kind) + len(c.Entity.Identity) + 16
	n := entity + len(c.State)
	for i := range c.Puts {
		n += entity + len(c.Puts[i].Part) + len(c.Puts[i].Value)
	}
	for i := range c.Deletes {
		n += entity + len(c.Deletes[i])
	}
	for i := range c.Outcomes {
		n += 2*(entity+len(RequestID{})) + len(c.Outcomes[i].Result)
	}
	for i := range c.Events {
		n += entity + len(c.Events[i].Body)
	}
	for i := range c.Marks {
		n += 2*len(c.Marks[i].Key) + len(c.Marks[i].Body)
	}
	return n
}

// Validate reports the limit that c breaks, as an [ErrInvalid].
func (c *Commit) Validate() error {
	switch {
	case c.Size() > MaxCommit:
		return fmt.Errorf("%w: %d bytes", ErrInvalid, c.Size())
	case c.Marking():
		return c.validateMarking()
	case !c.Entity.valid():
		return fmt.Errorf("%w: entity of kind %q with an identity of %d bytes", ErrInvalid, c.Entity.Kind, len(c.Entity.Identity))
	case len(c.State) > MaxValue:
		return fmt.Errorf("%w: state of %d bytes", ErrInvalid, len(c.State))
	case c.Remove && (len(c.State)+len(c.Puts)+len(c.Deletes) > 0 || c.BaseRev == 0):
		return fmt.Errorf("%w: a removal of something that does not exist, or with other changes", ErrInvalid)
	}
	if len(c.Marks) > 0 {
		return fmt.Errorf("%w: marks of events with the change of an entity", ErrInvalid)
	}
	if err := c.validateEvents(); err != nil {
		return err
	}
	return c.validateRecords()
}

func (c *Commit) validateRecords() error {
	for i := range c.Puts {
		if !validPart(c.Puts[i].Part) || len(c.Puts[i].Value) > MaxValue {
			return fmt.Errorf("%w: record with a name of %d and a value of %d bytes", ErrInvalid, len(c.Puts[i].Part), len(c.Puts[i].Value))
		}
	}
	for _, part := range c.Deletes {
		if !validPart(part) {
			return fmt.Errorf("%w: record with a name of %d bytes", ErrInvalid, len(part))
		}
	}
	for i := range c.Outcomes {
		if n := len(c.Outcomes[i].Result); n > MaxValue {
			return fmt.Errorf("%w: outcome of %d bytes", ErrInvalid, n)
		}
	}
	return nil
}

func (e Entity) valid() bool {
	return len(e.Kind) >= 1 && len(e.Kind) <= MaxKind && len(e.Identity) >= 1 && len(e.Identity) <= MaxIdentity
}

func validPart(part string) bool { return len(part) >= 1 && len(part) <= MaxPart }
