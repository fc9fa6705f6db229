package actors

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// TestOutcomesArePacked: the result of an outcome is the encoding of a Packed,
// whatever the reply is, and can be read back.
func TestOutcomesArePacked(t *testing.T) {
	for _, reply := range []proto.Message{
		&emptypb.Empty{}, wrapperspb.String(""), wrapperspb.String("text"), wrapperspb.Bytes(make([]byte, 200)),
	} {
		got, err := encodeReply(reply)
		if err != nil {
			t.Fatal(err)
		}
		packed := &Packed{}
		if err := proto.Unmarshal(got, packed); err != nil {
			t.Fatalf("%T: %v", reply, err)
		}
		value, err := proto.Marshal(reply)
		if name := string(reply.ProtoReflect().Descriptor().FullName()); err != nil || packed.Type != name || !bytes.Equal(packed.Value, value) {
			t.Errorf("%T: got %v", reply, packed)
		}
		if back, err := decodeReply(got); err != nil || !proto.Equal(back, reply) {
			t.Errorf("%T: read back as %v, %v", reply, back, err)
		}
	}
	if _, err := encodeReply(wrapperspb.Bytes(make([]byte, maxMessage))); err == nil {
		t.Error("an outcome of any size is kept")
	}
}
