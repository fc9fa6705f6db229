package wire

// Request is one request as the client sent it. Its slices are valid until the
// handler returns.
type Request struct {
	Method []byte
	// Target begins with a slash and holds neither blanks nor control
	// characters nor a fragment.
	Target []byte
	// Body is the whole body without chunk framing; nil when TooLarge.
	Body []byte
	// TooLarge says that the body is over the limit. It was not read and the
	// connection closes after the answer.
	TooLarge bool

	oldVersion bool // HTTP/1.0
	close      bool
	seen       uint32
	repeated   uint32
	values     [names][]byte
}

// Header returns the value of a header without the blanks around it, the first
// one if it was sent several times; nil when it was not sent.
func (r *Request) Header(n Name) []byte { return r.values[n] }

// Set makes a request in a test say something.
func (r *Request) Set(n Name, value []byte) {
	r.seen |= 1 << n
	r.values[n] = value
}

// Repeated reports whether the header was sent on more than one line.
func (r *Request) Repeated(n Name) bool { return r.repeated&(1<<n) != 0 }

// sent reports whether the header was sent, be it blank.
func (r *Request) sent(n Name) bool { return r.seen&(1<<n) != 0 }

func (r *Request) add(n Name, value []byte) {
	if r.sent(n) {
		r.repeated |= 1 << n
		return
	}
	r.seen |= 1 << n
	r.values[n] = value
}
