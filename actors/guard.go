package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errFrame says that a peer sent what no node of ours sends.
var errFrame = errors.New("unexpected frame")

// wireTypes are the only messages that nodes send each other.
var wireTypes = []string{"ssod.actors.RemoteCommand", "ssod.actors.RemoteAnswer", "actor.DeadLetterResponse"}

// guardStream checks every frame of a peer before the transport sees it, which
// would crash on an unknown type or index, and would let a peer stop or spawn
// any actor. It also contains a panic of the transport to the one stream.
func guardStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = status.Error(codes.Internal, "stream failed")
		}
	}()
	return handler(srv, guardedStream{stream})
}

type guardedStream struct{ grpc.ServerStream }

func (s guardedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	frame, ok := m.(*remote.RemoteMessage)
	if !ok {
		return errFrame
	}
	return checkFrame(frame)
}

func checkFrame(frame *remote.RemoteMessage) error {
	if c := frame.GetConnectRequest(); c != nil && c.GetServerConnection() == nil {
		return errFrame
	}
	batch := frame.GetMessageBatch()
	for _, name := range batch.GetTypeNames() {
		if !slices.Contains(wireTypes, name) {
			return fmt.Errorf("%w: type", errFrame)
		}
	}
	for _, e := range batch.GetEnvelopes() {
		if !within(e.GetTypeId(), len(batch.GetTypeNames())) ||
			!within(e.GetTarget(), len(batch.GetTargets())) ||
			!within(e.GetSender(), len(batch.GetSenders())+1) || // 0: none
			e.GetSerializerId() != 0 {
			return fmt.Errorf("%w: envelope", errFrame)
		}
	}
	return nil
}

func within(index int32, n int) bool { return index >= 0 && int(index) < n }

// refuseUnary refuses the transport's calls for inspecting processes, which it
// answers with a panic.
func refuseUnary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.Unimplemented, "not offered")
}
