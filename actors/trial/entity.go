package trial

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
)

// Config is what trials need to know of the configuration.
type Config struct {
	// Retention is how long a trial is remembered after its end (memberRetention). It is
	// called when its answer is needed, so a reload takes effect at once.
	Retention func() time.Duration
}

// level is the format level that brought trials.
const level = 2

// Kinds registers all of the package with a runtime.
func Kinds(c Config) []actors.Kind {
	return []actors.Kind{
		{Name: KindName, Level: level, New: entityOf(KindName, (*Trial).decide), Sweep: sweep[Trial](c.Retention), Fenced: reads},
		{Name: KeyKind, Level: level, New: entityOf(KeyKind, (*Key).decide), Sweep: sweep[Key](c.Retention), Fenced: reads},
		{Name: AddressKind, Level: level, New: entityOf(AddressKind, (*Address).decide), Sweep: sweep[Address](c.Retention)},
		{Name: EpochKind, Level: level, New: entityOf(EpochKind, (*Epoch).decide), Fenced: reads},
	}
}

// message is a pointer to S, a protobuf message.
type message[S any] interface {
	*S
	proto.Message
}

func entityOf[S any, P message[S]](kind string, decide func(P, actors.Address, *actors.Turn) (intent.Decision[S], bool)) func(actors.Identity) actors.Entity {
	return func(id actors.Identity) actors.Entity {
		return &intent.Entity[S, P]{Address: actors.Address{Kind: kind, Identity: id}, Decide: decide}
	}
}

// reads says which commands never change anything.
func reads(command proto.Message) bool {
	switch command.(type) {
	case *Look, *Find, *Current:
		return true
	default:
		return false
	}
}
