package intent

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// Unfinished returns the Unfinished of an [ssod/actors.Kind] whose stored states are
// encoded messages like state: it wakes those with open intents, the field open.
func Unfinished(state proto.Message) func(cluster.Head) proto.Message {
	open := state.ProtoReflect().Descriptor().Fields().ByName("open").Number()
	return func(h cluster.Head) proto.Message {
		if has(h.State, open) {
			return &Resume{}
		}
		return nil
	}
}

// has reports whether an encoded message has a field. It decodes nothing, because it is
// called for every entity of a shard.
func has(message []byte, field protowire.Number) bool {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false // activation reports it
		}
		if number == field {
			return true
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			return false
		}
		message = message[n+size:]
	}
	return false
}
