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
		want, err := pack(reply)
		if err != nil || packed.Type != want.Type || !bytes.Equal(packed.Value, want.Value) {
			t.Errorf("%T: got %v, want %v", reply, packed, want)
		}
		if back, err := decodeReply(got); err != nil || !proto.Equal(back, reply) {
			t.Errorf("%T: read back as %v, %v", reply, back, err)
		}
	}
	if _, err := encodeReply(wrapperspb.Bytes(make([]byte, maxMessage))); err == nil {
		t.Error("an outcome of any size is kept")
	}
}
