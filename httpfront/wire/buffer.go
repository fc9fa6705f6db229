package wire

import "sync"

// buffer is what a connection holds from the first byte of a request to the
// end of its answer.
type buffer struct {
	in      []byte // bytes received; the request at hand begins at 0
	out     []byte // the reduced head for fasthttp
	request Request
}

// bufferSize holds a usual request with three tokens.
const bufferSize = 4 << 10

var buffers = sync.Pool{New: func() any {
	return &buffer{in: make([]byte, 0, bufferSize), out: make([]byte, 0, 256)}
}}

// release gives the buffer back. One that grew is left to the collector: big
// requests are rare, and slices of a smaller array may still be in use.
func (b *buffer) release() {
	if cap(b.in) != bufferSize {
		return
	}
	b.in, b.out, b.request = b.in[:0], b.out[:0], Request{}
	buffers.Put(b)
}

// room makes space for more bytes behind in, which never grows far over limit.
func (b *buffer) room() {
	if len(b.in) < cap(b.in) {
		return
	}
	in := make([]byte, len(b.in), 2*cap(b.in))
	copy(in, b.in)
	b.in = in
}

// shift drops the first n bytes.
func (b *buffer) shift(n int) {
	b.in = b.in[:copy(b.in, b.in[n:])]
}
