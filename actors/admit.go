package actors

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
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
// right authority is not enough: other clusters may have the same one.
func (p *peers) admitStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	said := metadata.ValueFromIncomingContext(stream.Context(), clusterKey)
	if p.cluster != "" && (len(said) != 1 || said[0] != p.cluster) {
		return status.Error(codes.PermissionDenied, "not of this cluster")
	}
	return handler(srv, stream)
}
