package actors

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// maxMessage is the encoded size of a command or an answer between nodes, in
// bytes.
const maxMessage = 256 << 10

var (
	errTooLarge    = errors.New("message too large")
	errUnknownType = errors.New("message type unknown")
)

// pack encodes a message together with its type.
func pack(m proto.Message) (*Packed, error) {
	value, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	if len(value) > maxMessage {
		return nil, fmt.Errorf("pack %s of %d bytes: %w", m.ProtoReflect().Descriptor().FullName(), len(value), errTooLarge)
	}
	return &Packed{Type: string(m.ProtoReflect().Descriptor().FullName()), Value: value}, nil
}

// unpack is the inverse of pack. Only types that are linked into the program
// are known.
func unpack(p *Packed) (proto.Message, error) {
	if len(p.GetValue()) > maxMessage {
		return nil, fmt.Errorf("unpack %d bytes: %w", len(p.GetValue()), errTooLarge)
	}
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(p.GetType()))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", errUnknownType)
	}
	m := t.New().Interface()
	if err := proto.Unmarshal(p.GetValue(), m); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", p.GetType(), err)
	}
	return m, nil
}

// encodeReply is a reply as the result of an outcome: a Packed, encoded in one
// go because every change has one.
func encodeReply(reply proto.Message) ([]byte, error) {
	name := string(reply.ProtoReflect().Descriptor().FullName())
	size := proto.Size(reply)
	if size > maxMessage {
		return nil, fmt.Errorf("encode %s of %d bytes: %w", name, size, errTooLarge)
	}
	b := make([]byte, 0, len(name)+size+8)
	b = protowire.AppendString(protowire.AppendTag(b, packedType, protowire.BytesType), name)
	b = protowire.AppendVarint(protowire.AppendTag(b, packedValue, protowire.BytesType), uint64(size))
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, reply)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return b, nil
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
	return unpack(&p)
}
