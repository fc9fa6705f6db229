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

// Header returns the value of a header without the blanks around it; nil when it
// was not sent. If it was sent on several lines, those of a list are one list
// (RFC 9110, 5.3), and of any other it is the first.
func (r *Request) Header(n Name) []byte { return r.values[n] }

// Set makes a request in a test say something.
func (r *Request) Set(n Name, value []byte) {
	r.seen |= 1 << n
	r.values[n] = value
}

// Repeated reports whether the header was sent on more than one line.
func (r *Request) Repeated(n Name) bool { return r.repeated&(1<<n) != 0 }

// sent reports whether the header was sent, even if empty.
func (r *Request) sent(n Name) bool { return r.seen&(1<<n) != 0 }

func (r *Request) add(n Name, value []byte) {
	if !r.sent(n) {
		r.seen |= 1 << n
		r.values[n] = value
		return
	}
	r.values[n] = join(r.values[n], separator[n], value, r.Repeated(n))
	r.repeated |= 1 << n
}

// join appends a line of a list to those before it; a blank line adds nothing.
// Only what was joined already (owned) may be appended to: a first line is part
// of what was received.
func join(list []byte, separator string, line []byte, owned bool) []byte {
	if separator == "" || len(line) == 0 {
		return list
	}
	if !owned {
		list = append(make([]byte, 0, 2*(len(list)+len(line))), list...)
	}
	if len(list) > 0 {
		list = append(list, separator...)
	}
	return append(list, line...)
}
