package actors

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Secured is a Remote that speaks mutual TLS: server is what it listens with,
// client makes what it dials the node of a name with, and nameAt tells which
// node is at an address. Certificates are for names, addresses may change.
func Secured(listen string, server *tls.Config, client func(name string) *tls.Config, nameAt func(address string) (string, bool)) *Remote {
	dial := byName{TransportCredentials: credentials.NewTLS(server), client: client, nameAt: nameAt}
	return &Remote{
		Listen: listen,
		Dial:   []grpc.DialOption{grpc.WithTransportCredentials(dial)},
		Serve:  []grpc.ServerOption{grpc.Creds(credentials.NewTLS(server))},
	}
}

// Unsecured is a Remote without TLS, which is for loopback addresses only.
func Unsecured(listen string) *Remote {
	return &Remote{Listen: listen, Dial: []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}}
}

// byName dials nodes by their names.
type byName struct {
	credentials.TransportCredentials
	client func(name string) *tls.Config
	nameAt func(address string) (string, bool)
}

// ClientHandshake implements [credentials.TransportCredentials].
func (b byName) ClientHandshake(ctx context.Context, address string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	name, ok := b.nameAt(address)
	if !ok {
		return nil, nil, fmt.Errorf("no node is known at %s", address)
	}
	return credentials.NewTLS(b.client(name)).ClientHandshake(ctx, name, raw)
}

// Clone implements [credentials.TransportCredentials].
func (b byName) Clone() credentials.TransportCredentials { return b }
