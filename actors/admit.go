package actors

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// admitStream takes frames of nodes that are permitted, for as long as they are: one
// that is removed meanwhile is not heard any more.
func (p *peers) admitStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	who, ok := peer.FromContext(stream.Context())
	if !ok {
		return errDenied
	}
	from, ok := who.AuthInfo.(node)
	if !ok {
		return errDenied
	}
	return handler(srv, permittedStream{stream, p.door, from.Member})
}

var errDenied = status.Error(codes.PermissionDenied, ErrStranger.Error())

type permittedStream struct {
	grpc.ServerStream
	door door
	from Member
}

// RecvMsg implements [grpc.ServerStream].
func (s permittedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if s.door.permit(s.from, nil) != nil {
		return errDenied
	}
	return nil
}
