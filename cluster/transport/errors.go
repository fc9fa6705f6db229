package transport

import (
	"errors"

	"ssod/cluster/proof"
)

// Why a connection was refused. The refused side gets the same error if it has proven that
// it knows the cluster's secret, else none.
var (
	// ErrProtocol: the other side speaks another protocol, or another version of it.
	ErrProtocol = proof.ErrProtocol
	// ErrSecret: the other side does not prove the cluster's secret.
	ErrSecret = proof.ErrSecret
	// ErrCluster: the node belongs to another cluster.
	ErrCluster = errors.New("another cluster")
	// ErrNode: another node than expected has that address or id, or its certificate is
	// not for its name.
	ErrNode = errors.New("another node than expected")
	// ErrRemoved: the node was removed from the cluster.
	ErrRemoved = errors.New("the node was removed from the cluster")
	// ErrUnregistered: the registry does not have the node, or not yet.
	ErrUnregistered = errors.New("the registry does not have the node")
	// ErrCertificate: a removed node had the same certificate.
	ErrCertificate = errors.New("the certificate is that of a removed node")
	// ErrOlder: the node's data is older than what it has acknowledged to others.
	ErrOlder = errors.New("the data of the node is older than what it acknowledged")
	// ErrTwice: the node is here already, as another process.
	ErrTwice = errors.New("the node is here already")
	// ErrLevel: the version of the node does not know the format level of the cluster.
	ErrLevel = errors.New("the node's version does not know the cluster's format level")
	// ErrBusy: too much of this is under way.
	ErrBusy = errors.New("busy")
	// ErrRefused: the other node could not use what it got, see the text.
	ErrRefused = errors.New("refused")
)

var (
	// ErrFrame says that a frame is truncated, too long or malformed.
	ErrFrame = errors.New("bad frame")
	// ErrUnknownNode says that no address is known for a node.
	ErrUnknownNode = errors.New("unknown node")
	// ErrChecksum says that a snapshot is not what was sent.
	ErrChecksum = errors.New("snapshot is incomplete or damaged")
	// ErrClosed says that the network is closed.
	ErrClosed = errors.New("the network is closed")
)
