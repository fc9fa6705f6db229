package cluster

import "io"

// Snapshot is a shard's state to be sent to another node.
type Snapshot struct {
	// Name is that of its file on both nodes.
	Name string
	// Size is about how many bytes the file will have.
	Size uint64
	// Rate is the least rate in bytes per second, even beyond the limit for all snapshots.
	// It is called repeatedly.
	Rate func() int
	// Make makes the file and the frame of the message that goes with it. It is called at
	// most once, when the other node has disk space and a free slot.
	Make func() (file io.ReadCloser, frame []byte, err error)
}
