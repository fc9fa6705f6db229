package actors

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// Kind registers one kind of entity with a [Runtime].
type Kind struct {
	// Name is the kind's name in entity addresses and keys, for ever.
	Name string
	// New makes an entity that is not loaded yet.
	New func(id Identity) Entity
	// Sweep looks at what is stored of one entity and returns a command to send
	// to it, or nil. The runtime walks through all stored entities of the kind
	// on the shards this node leads, slowly and for ever. A nil Sweep means
	// that nothing needs sweeping.
	Sweep func(h cluster.Head, at Times) proto.Message
	// Unfinished looks at what is stored of one entity and returns a command to
	// send to it, or nil. The runtime walks through the stored entities of the
	// kind once and quickly when this node begins to lead their shard, so that
	// work in which an earlier owner died goes on. Until it is done the entity
	// must not be idle in its Tick. A nil Unfinished means that there is none.
	Unfinished func(h cluster.Head) proto.Message
	// Quiet is for how many ticks (of Limits.Tick, a second) an entity is unused
	// before it gets a Tick; 0 means that it gets one each time. Ticks of many
	// busy entities cost CPU.
	Quiet uint32
	// Brief says that the entity's turns never wait: it commits with Begin only.
	// Then a Tell is handled in the goroutine that sends it, if the entity does
	// nothing else.
	Brief bool
	// Flow returns what carries out a command that takes other entities too, or nil
	// when the entity does. A nil Flow means that it does all.
	Flow func(command proto.Message) FlowFunc
	// AtOnce is how many commands may wait for an entity whatever its pace
	// (default 16): as many as it can answer with one commit. Those beyond may
	// wait as long as they are answered within Limits.Wait, as far as its pace
	// tells.
	AtOnce int
	// Fenced says whether a command needs a read barrier before the entity
	// sees it. A nil Fenced means none does; see also Turn.Fence.
	Fenced func(command proto.Message) bool
}

// Entity is the domain side of one actor. The runtime calls its methods one at
// a time, so it needs no lock.
type Entity interface {
	// Load reads the entity's state. It is called once, before Receive. Times
	// in it that are later than now are of before the shard time was set back,
	// and are cut.
	Load(store Store) error
	// Receive handles one command. It must end in exactly one of Turn.Reply,
	// Turn.Change, Turn.Fence or Turn.Fail, now or later ([Turn.Defer]).
	Receive(t *Turn)
	// Tick is called by the shard's sweep with a turn that has no command: about
	// a second after commands and as long as the entity is not idle, and before
	// the entity is passivated ([Turn.Retiring]). The entity may commit what it
	// kept back. It reports whether the entity may be passivated as far as it
	// is concerned.
	Tick(t *Turn) (idle bool)
}

// Decision is what a pure decision function returns: the answer, and the
// commit that must be applied before the answer may be given (nil: none).
type Decision struct {
	Reply proto.Message
	// Commit's Entity, BaseRev and Outcomes are filled in by the runtime.
	Commit *cluster.Commit
	// Applied is called when the commit is applied, before the answer leaves:
	// here, and only here, the entity changes its memory.
	Applied func()
}

// Asker sends a command to an entity wherever it lives and waits for the
// answer. Ask fails with an error of this package: ErrUnavailable (certainly no
// effect), ErrOverloaded (likewise, and at once) or ErrUnknown (the effect is
// unknown; the same request and step may be asked again).
type Asker interface {
	Ask(ctx context.Context, to Address, request cluster.RequestID, step uint32, command proto.Message) (proto.Message, error)
	// Tell sends a command whose answer nobody waits for; it may be lost.
	Tell(to Address, request cluster.RequestID, step uint32, command proto.Message)
}

// Ask is [Asker.Ask] for an answer of type R.
func Ask[R proto.Message](ctx context.Context, asker Asker, to Address, request cluster.RequestID, step uint32, command proto.Message) (R, error) {
	reply, err := asker.Ask(ctx, to, request, step, command)
	if err != nil {
		err = fmt.Errorf("ask %s for %s: %w", to.Kind, command.ProtoReflect().Descriptor().Name(), err)
	}
	return As[R](reply, err)
}

// As returns an answer as one of type R.
func As[R proto.Message](reply proto.Message, err error) (R, error) {
	r, ok := reply.(R)
	if err == nil && !ok {
		err = fmt.Errorf("got a %T", reply)
	}
	return r, err
}
