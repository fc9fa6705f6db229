package loadgen

import (
	"bytes"
	"errors"
	"strconv"
)

// errAnswer is an answer that this client does not understand: not HTTP/1.1
// or without Content-Length.
var errAnswer = errors.New("answer is not HTTP/1.1 with Content-Length")

var (
	endOfHead     = []byte("\r\n\r\n")
	contentLength = []byte("\r\ncontent-length:")
	statusLine    = []byte("HTTP/1.1 ")
)

// answer is one complete answer at the start of a read buffer.
type answer struct {
	status int
	body   []byte
	size   int // bytes of head and body
}

// parse reads one answer from b. It reports false while b is incomplete.
func parse(b []byte) (answer, bool, error) {
	head := bytes.Index(b, endOfHead)
	if head < 0 {
		return answer{}, false, nil
	}
	if !bytes.HasPrefix(b, statusLine) || head < len(statusLine)+3 {
		return answer{}, false, errAnswer
	}
	status, err := strconv.Atoi(string(b[len(statusLine) : len(statusLine)+3]))
	if err != nil {
		return answer{}, false, errAnswer
	}
	start := head + len(endOfHead)
	length, err := bodyLength(status, b[:head+2])
	if err != nil || len(b) < start+length {
		return answer{}, false, err
	}
	return answer{status: status, body: b[start : start+length], size: start + length}, true, nil
}

func bodyLength(status int, head []byte) (int, error) {
	value, ok := header(head, contentLength)
	if !ok {
		if status == 204 || status == 304 {
			return 0, nil
		}
		return 0, errAnswer
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
	if err != nil || n < 0 {
		return 0, errAnswer
	}
	return n, nil
}

// header finds the value of name, given as "\r\nname:" in lower case, in a
// head that ends with "\r\n".
func header(head, name []byte) ([]byte, bool) {
	for at := bytes.IndexByte(head, '\n'); at >= 0 && at+len(name) <= len(head); {
		line := head[at-1:]
		if len(line) >= len(name) && bytes.EqualFold(line[:len(name)], name) {
			value, _, _ := bytes.Cut(line[len(name):], []byte("\r\n"))
			return value, true
		}
		next := bytes.IndexByte(head[at+1:], '\n')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return nil, false
}
