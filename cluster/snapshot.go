package cluster

import "io"

// Snapshot is a shard's state that is to go to another node.
type Snapshot struct {
	// Name is that of its file on either side.
	Name string
	// Size is about how many bytes the file will have.
	Size uint64
	// Rate is how many bytes per second it should at least go with, whatever the limit
	// for all, so that it arrives; asked again and again.
	Rate func() int
	// Make makes the file and the frame with the message that goes with it. It is
	// called when the other node has room and a place for it, at most once.
	Make func() (file io.ReadCloser, frame []byte, err error)
}
