package actors

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// clusterKey is what a node that dials says its cluster in.
const clusterKey = "ssod-cluster"

// introduce says which cluster this node is of.
func (p *peers) introduce(ctx context.Context) context.Context {
	if p.cluster == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, clusterKey, p.cluster)
}

// admitStream refuses strangers before their first frame. A certificate of the
// right authority is not enough: other clusters may have the same one, and a
// node that was removed still has its own.
func (p *peers) admitStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx := stream.Context()
	if said := metadata.ValueFromIncomingContext(ctx, clusterKey); p.cluster != "" && (len(said) != 1 || said[0] != p.cluster) {
		return status.Error(codes.PermissionDenied, "not of this cluster")
	}
	if p.isRemoved(ctx) {
		return status.Error(codes.PermissionDenied, "removed from the cluster")
	}
	return handler(srv, stream)
}

func (p *peers) isRemoved(ctx context.Context) bool {
	who, _ := peer.FromContext(ctx)
	if who == nil || p.removed == nil {
		return false
	}
	info, ok := who.AuthInfo.(credentials.TLSInfo)
	return ok && len(info.State.PeerCertificates) > 0 && p.removed(info.State.PeerCertificates[0])
}
