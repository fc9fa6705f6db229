package transport

// Frames that were sent are used again, a few of them: to make and to clear the memory
// of each takes longer than to fill it.
const (
	spareFrames = 16
	// spareBytes is up to what size.
	spareBytes = 256 << 10
)

// Spare returns a frame that was sent and that nobody needs any more, for the next
// one; nil if there is none.
func (n *Network) Spare() []byte {
	select {
	case frame := <-n.spare:
		return frame[:0]
	default:
		return nil
	}
}

// sent keeps a frame that was sent for [Network.Spare].
func (n *Network) sent(frame []byte) {
	if cap(frame) > spareBytes {
		return
	}
	select {
	case n.spare <- frame:
	default:
	}
}
