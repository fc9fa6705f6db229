// Package actors runs the entities of the service: each is an actor that is
// the only writer of its state, and lives on the node that leads its shard.
//
// A [Runtime] is one node's part. An entity is asked by name, wherever it lives:
//
//	to := actors.Address{Kind: "profile", Identity: actors.Identity{realm, "sso", subject}}
//	reply, err := runtime.Ask(ctx, to, request, step, &profile.Unlink{...})
//
// The request id and the step identify the command: asked again, it has no
// second effect and gets the first answer. An error says what is known of the
// effect: none ([ErrUnavailable], [ErrOverloaded]), unknown ([ErrUnknown]), or a bug
// ([ErrInternal]).
//
// # Writing an entity
//
// A [Kind] makes entities, an [Entity] handles one [Turn] at a time and needs no
// lock. It decides with a pure function of its state, the command and
// [Turn.Now], and hands the [Decision] to [Turn.Change]:
//
//	func (p *entity) Receive(t *actors.Turn) {
//		switch m := t.Command().(type) {
//		case *Unlink:
//			t.Change(p.state.unlink(m, t.Now()))
//		case *List:
//			t.Reply(p.state.list(m)) // Kind.Fenced names List
//		}
//	}
//
// Change makes the new state durable, then calls Decision.Applied, where the
// entity changes its memory, then answers: in that order. An answer that rests
// on memory alone needs a read barrier, because a node that was deposed may not
// know it: Kind.Fenced asks for one before the command is delivered,
// [Turn.Fence] afterwards.
//
// An entity that serves many at once, like a directory, does not wait for each
// commit: it keeps turns open with [Turn.Defer], decides a batch, and commits
// it with [Turn.Begin] while further commands arrive. It answers repeats with
// [Turn.Repeat] and adds outcomes with [Turn.Outcome], or keeps in its own state
// what it needs to answer again.
//
// A command that takes several entities is a flow: [Kind.Flow] names what runs it, on
// the node of the entity that it is sent to, outside the entity's turns. It asks for
// everything under the id of its request, and one commit of some entity decides:
// see [FlowFunc].
//
// An entity is loaded at its first command, ticked about once a second while it is used,
// and passivated when it has been idle. When what is stored is in doubt, after a panic
// for instance, it is loaded afresh and its commands are delivered again.
//
// # How it works
//
// An Ask finds the hash slot of the name, its shard through [cluster.Slots], and the
// owner through [cluster.Shards]. The shard on the owner admits the command and forwards it to
// the entity's actor. Between nodes messages are protobuf in envelopes of
// cluster/stream, inside a node they are Go values. actors/DESIGN.md#life-of-a-command
// follows a message through its life, actors/DESIGN.md#who-retries-what says who repeats
// it.
package actors
