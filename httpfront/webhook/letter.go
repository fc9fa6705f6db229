package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"ssod/actors/event"
)

// letter is an event as it is stored: version, creation in ms, id, and for a dead letter
// when it died and why; then what is sent.
type letter struct {
	Created  time.Time
	ID       [16]byte
	Died     time.Time
	Attempts int
	Why      string
	JSON     []byte
}

const letterVersion = 1

// maxWhy bounds why an event was given up, in bytes.
const maxWhy = 200

var errLetter = errors.New("malformed event")

func (l letter) encode() []byte {
	b := append(make([]byte, 0, 48+len(l.Why)+len(l.JSON)), letterVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(l.Created.UnixMilli()))
	b = append(b, l.ID[:]...)
	died := uint64(0)
	if !l.Died.IsZero() {
		died = uint64(l.Died.UnixMilli())
	}
	b = binary.BigEndian.AppendUint64(b, died)
	b = binary.BigEndian.AppendUint16(b, uint16(min(l.Attempts, 1<<16-1)))
	why := l.Why[:min(len(l.Why), maxWhy)]
	b = append(append(b, byte(len(why))), why...)
	return append(b, l.JSON...)
}

// fixed is the length of what comes before why.
const fixed = 1 + 8 + 16 + 8 + 2 + 1

func parseLetter(b []byte) (l letter, err error) {
	if len(b) < fixed || b[0] != letterVersion || len(b) < fixed+int(b[fixed-1]) {
		return letter{}, errLetter
	}
	l.Created = time.UnixMilli(int64(binary.BigEndian.Uint64(b[1:]))).UTC()
	l.ID = [16]byte(b[9:25])
	if died := binary.BigEndian.Uint64(b[25:]); died != 0 {
		l.Died = time.UnixMilli(int64(died)).UTC()
	}
	l.Attempts = int(binary.BigEndian.Uint16(b[33:]))
	n := int(b[fixed-1])
	l.Why, l.JSON = string(b[fixed:fixed+n]), b[fixed+n:]
	return l, nil
}

// name is the webhook-id: the same for ever.
func (l letter) name() string { return "msg_" + base64.RawURLEncoding.EncodeToString(l.ID[:]) }

// dropNote is what an events.dropped tells: how many were given up, and when the oldest of
// them was created.
type dropNote struct {
	Count int
	Since time.Time
}

// add adds what another one tells; none tells nothing.
func (n *dropNote) add(m dropNote) {
	if m.Count > 0 && (n.Count == 0 || m.Since.Before(n.Since)) {
		n.Since = m.Since
	}
	n.Count += m.Count
}

// tells reads an events.dropped.
func (l letter) tells() (dropNote, bool) {
	var b struct {
		Type event.Type
		Data dropNote
	}
	// Most letters have no such type, and need not be decoded to see that.
	if !bytes.Contains(l.JSON, []byte(event.EventsDropped)) || json.Unmarshal(l.JSON, &b) != nil {
		return dropNote{}, false
	}
	return b.Data, b.Type == event.EventsDropped
}
