package actors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// maxMessage is the encoded size of a command or an answer, in bytes.
const maxMessage = 256 << 10

var (
	errTooLarge    = errors.New("message too large")
	errUnknownType = errors.New("message type unknown")
)

// sized is a message's full name and the length of its encoding, which is bounded.
func sized(m proto.Message) (name string, size int, err error) {
	name, size = string(m.ProtoReflect().Descriptor().FullName()), proto.Size(m)
	if size > maxMessage {
		err = fmt.Errorf("encode %s of %d bytes: %w", name, size, errTooLarge)
	}
	return name, size, err
}

// appendValue appends the encoding of a message that was sized just now.
func appendValue(b []byte, name string, m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, m)
	if err != nil {
		return b, fmt.Errorf("encode %s: %w", name, err)
	}
	return b, nil
}

// appendMessage appends a message with its name; its encoding goes to the end.
func appendMessage(b []byte, m proto.Message) ([]byte, error) {
	name, _, err := sized(m)
	if err != nil {
		return b, err
	}
	b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
	return appendValue(b, name, m)
}

// decodeMessage is the inverse. Only types that are linked into the program are known.
func decodeMessage(name, value []byte) (proto.Message, error) {
	if len(value) > maxMessage {
		return nil, fmt.Errorf("decode %d bytes: %w", len(value), errTooLarge)
	}
	t, err := messageType(name)
	if err != nil {
		return nil, err
	}
	m := t.New().Interface()
	if err := proto.Unmarshal(value, m); err != nil {
		return nil, fmt.Errorf("decode %s: %w", name, err)
	}
	return m, nil
}

// typesMet are the types looked up so far, by name. A map never changes, so that a
// look-up takes no lock and does not copy the name.
var (
	typesMet    atomic.Pointer[map[string]protoreflect.MessageType]
	meetingType sync.Mutex
)

func messageType(name []byte) (protoreflect.MessageType, error) {
	if met := typesMet.Load(); met != nil {
		if t := (*met)[string(name)]; t != nil {
			return t, nil
		}
	}
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		return nil, errUnknownType
	}
	meetingType.Lock()
	defer meetingType.Unlock()
	more := map[string]protoreflect.MessageType{}
	if met := typesMet.Load(); met != nil {
		more = maps.Clone(*met)
	}
	more[string(name)] = t
	typesMet.Store(&more)
	return t, nil
}

// encodeReply returns a reply as the result of an outcome: a Packed, encoded without an
// intermediate message because every change has one.
func encodeReply(reply proto.Message) ([]byte, error) {
	name, size, err := sized(reply)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(name)+size+8)
	b = protowire.AppendString(protowire.AppendTag(b, packedType, protowire.BytesType), name)
	b = protowire.AppendVarint(protowire.AppendTag(b, packedValue, protowire.BytesType), uint64(size))
	return appendValue(b, name, reply)
}

// The fields of Packed.
const (
	packedType  = 1
	packedValue = 2
)

// decodeReply is the inverse of encodeReply.
func decodeReply(result []byte) (proto.Message, error) {
	var p Packed
	if err := proto.Unmarshal(result, &p); err != nil {
		return nil, fmt.Errorf("recorded reply: %w", err)
	}
	return decodeMessage([]byte(p.GetType()), p.GetValue())
}
