package intent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

// maxDepth bounds how far intents lead to further ones.
const maxDepth = 4

// Maker is an answer of an entity that made intents.
type Maker interface{ GetOpen() []*Intent }

// refuser is an answer of an entity that may have refused, because it has [Max] intents open
// itself.
type refuser interface{ GetBusy() bool }

// Run carries out and settles intents that an entity has made, and those that their
// targets make in turn. What fails stays open, for the entity to carry out.
func Run(ctx context.Context, asker actors.Asker, from actors.Address, open []*Intent) error {
	return run(ctx, asker, from, open, maxDepth)
}

func run(ctx context.Context, asker actors.Asker, from actors.Address, open []*Intent, depth int) error {
	if len(open) == 0 || depth == 0 {
		return nil
	}
	settled, errs := &Settle{}, []error(nil)
	for _, i := range open {
		if err := i.carryOut(ctx, asker, depth); err != nil {
			errs = append(errs, err)
			continue
		}
		settled.Id = append(settled.Id, i.Id)
	}
	if len(settled.Id) > 0 {
		var request cluster.RequestID
		_, _ = rand.Read(request[:]) // never fails
		asker.Tell(from, request, 0, settled)
	}
	return errors.Join(errs...)
}

func (i *Intent) carryOut(ctx context.Context, asker actors.Asker, depth int) error {
	command, err := i.GetCommand().UnmarshalNew()
	if err != nil || len(i.GetId()) != len(cluster.RequestID{}) {
		return fmt.Errorf("intent for a %s: command of another version", i.GetTo().GetKind())
	}
	to := i.GetTo().Address()
	reply, err := asker.Ask(ctx, to, cluster.RequestID(i.Id), 0, command)
	if err != nil {
		return fmt.Errorf("intent for a %s: %s: %w", to.Kind, nameOf(command), err)
	}
	if r, ok := reply.(refuser); ok && r.GetBusy() {
		return fmt.Errorf("intent for a %s: %s: %w", to.Kind, nameOf(command), actors.ErrOverloaded)
	}
	if m, ok := reply.(Maker); ok {
		return run(ctx, asker, to, m.GetOpen(), depth-1)
	}
	return nil
}

func nameOf(m proto.Message) string { return string(m.ProtoReflect().Descriptor().Name()) }
