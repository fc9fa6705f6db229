package actors

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/actors/event"
	"ssod/cluster"
)

// Kind registers one kind of entity with a [Runtime].
type Kind struct {
	// Name is the kind's name in entity addresses and keys. It never changes.
	Name string
	// Level is the format level of the cluster (package persistence/level) from which on
	// there are entities of the kind; 0: from the first. Below it whoever asks one gets a
	// [LevelError], since members of an older version do not know the kind.
	Level int
	// New makes an entity that is not loaded yet.
	New func(id Identity) Entity
	// Sweep looks at what is stored of one entity and returns a command to send
	// to it, or nil. The runtime walks slowly, again and again, through all stored
	// entities of the kind on the shards this node leads. nil: nothing needs sweeping.
	Sweep func(h cluster.Head, at Times) proto.Message
	// Unfinished is like Sweep, but the walk is quick and done once, when this node
	// begins to lead the shard: so work goes on that an earlier owner left unfinished.
	// Until it is done the entity must not be idle in its Tick. nil: there is none.
	Unfinished func(h cluster.Head) proto.Message
	// Quiet is the number of ticks (Limits.Tick, a second) for which an entity is unused
	// before it gets a Tick; 0: it gets one each time. Ticks of many busy entities cost
	// CPU.
	Quiet uint32
	// Brief says that the entity's turns never wait: it commits with Begin only.
	// Then a Tell is handled in the goroutine that sends it, if the entity is idle.
	Brief bool
	// Flow returns what carries out a command that takes other entities too; nil for
	// commands of the entity itself. A nil Flow: all are.
	Flow func(command proto.Message) FlowFunc
	// AtOnce is how many commands may wait for an entity whatever its pace (default 16):
	// as many as it can answer with one commit. More may wait if its pace lets it answer
	// them within Limits.Wait.
	AtOnce int
	// Fenced says whether a command needs a read barrier before the entity
	// sees it; see also Turn.Fence. nil: none does.
	Fenced func(command proto.Message) bool
}

// Entity is the domain side of one actor. The runtime calls its methods one at
// a time, so it needs no lock.
type Entity interface {
	// Load reads the entity's state. It is called once, before Receive. Times later than
	// now were stored before the shard time was set back, and are cut.
	Load(store Store) error
	// Receive handles one command. It must end in exactly one of Turn.Reply,
	// Turn.Change, Turn.Fence or Turn.Fail, now or later ([Turn.Defer]).
	Receive(t *Turn)
	// Tick is called by the shard's sweep with a turn that has no command: about a
	// second after commands and as long as the entity is not idle, and before it is
	// passivated ([Turn.Retiring]). The entity may commit what it kept back. It reports
	// whether the entity may be passivated.
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
	// Facts state what the commit makes happen, for those who want to be told; nil:
	// nothing. It is called before the commit, if anybody does.
	Facts event.Teller
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
