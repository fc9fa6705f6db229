package transport

// A few sent frames are reused: to allocate and clear one takes longer than to fill it.
const (
	spareFrames = 16
	spareBytes  = 256 << 10 // the most that one may have
)

// Spare returns the memory of a sent frame for the next one; nil if there is none.
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
