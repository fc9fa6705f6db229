package layout

import (
	"encoding/binary"

	"ssod/persistence/data"
)

// spaceNode is the first byte of the keys of what a node keeps besides the shards.
const spaceNode = 0x00

// Keys of single values.
var (
	IdentityKey = []byte("\x00identity")
	BootsKey    = []byte("\x00boots")
)

// PeersFrom and PeersTo are before and behind the keys of other nodes.
var (
	PeersFrom = []byte("\x00peer")
	PeersTo   = []byte("\x00pees")
)

// PeerKey is the key of what is known of another node.
func PeerKey(node data.NodeID) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(nil), PeersFrom...), uint32(node))
}

// PeerOf is the node of such a key.
func PeerOf(key []byte) data.NodeID {
	return data.NodeID(binary.BigEndian.Uint32(key[len(PeersFrom):]))
}

// NoteKey is the key of a note under a name.
func NoteKey(name string) []byte { return append([]byte{spaceNode, 'n'}, name...) }
