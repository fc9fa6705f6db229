package stream

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster/proof"
)

// envelope is one as a test sees it.
type envelope struct {
	Kind    Kind
	Payload string
}

// frames is the encoding of envelopes.
func frames(all ...envelope) []byte {
	var o batch
	for _, e := range all {
		o.add(e.Kind, []byte(e.Payload))
	}
	o.seal()
	return o.b
}

// read reads all envelopes.
func read(r io.Reader) (all []envelope, err error) {
	f := frameReader{r: bufio.NewReaderSize(r, readBuffer)}
	for {
		frame, err := f.next()
		if err == nil {
			err = open(frame, func(k Kind, payload []byte) error {
				all = append(all, envelope{k, string(payload)})
				return nil
			})
		}
		if err != nil {
			return all, err
		}
	}
}

func TestFrames(t *testing.T) {
	long := strings.Repeat("x", MaxEnvelope)
	want := []envelope{{Command, "a"}, {Answer, ""}, {Tell, long}, {Command, long}, {ping, ""}}
	for range 3000 { // more than one frame
		want = append(want, envelope{Answer, "an answer"})
	}
	b := frames(want...)
	for name, r := range map[string]io.Reader{"at once": bytes.NewReader(b), "in halves": iotest.HalfReader(bytes.NewReader(b))} {
		got, err := read(r)
		if err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// sealed is a frame with anything in it.
func sealed(version byte, inside string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(headSize-lengthSize+len(inside)))
	b = append(b, version)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum([]byte(inside), castagnoli))
	return append(b, inside...)
}

// bad is what no node sends, and what is said of it.
var bad = map[string]struct {
	bytes []byte
	want  error
}{
	"another version":      {sealed(2, "\x02\x01a"), ErrVersion},
	"the start of another": {sealed(2, "")[:lengthSize+1], ErrVersion},
	"too long":             {[]byte("\x7f\xff\xff\xff\x01\x00\x00\x00\x00"), ErrOversized},
	"one byte too long":    {append(binary.BigEndian.AppendUint32(nil, maxFrame+1), 1, 0, 0, 0, 0), ErrOversized},
	"long envelope":        {sealed(1, string(binary.AppendUvarint(nil, MaxEnvelope+2))+"\x01"+strings.Repeat("x", MaxEnvelope+1)), ErrOversized},
	"half a head":          {sealed(1, "\x02\x01a")[:6], ErrTruncated},
	"half a frame":         {sealed(1, "\x02\x01a")[:10], ErrTruncated},
	"damaged":              {append(sealed(1, "\x02\x01a")[:headSize], "\x02\x01b"...), ErrChecksum},
	"nothing in it":        {sealed(1, ""), ErrEnvelope},
	"less than nothing":    {[]byte("\x00\x00\x00\x02\x01\x00\x00\x00\x00"), ErrEnvelope},
	"envelope without end": {sealed(1, "\x80\x80"), ErrEnvelope},
	"envelope cut short":   {sealed(1, "\x05\x01a"), ErrEnvelope},
	"empty envelope":       {sealed(1, "\x00"), ErrEnvelope},
	"unknown kind":         {sealed(1, "\x02\x63a"), ErrKind},
	"no kind":              {sealed(1, "\x01\x00"), ErrKind},
}

func TestBadFramesAreNamed(t *testing.T) {
	good := envelope{Command, "before"}
	for name, tt := range bad {
		got, err := read(bytes.NewReader(append(frames(good), tt.bytes...)))
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
		if diff := cmp.Diff([]envelope{good}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if reason := newRefusals().Of(err); reason == "other" || !refusable(err) {
			t.Errorf("%s: %v is counted as %v, refused: %v", name, err, reason, refusable(err))
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(frames(envelope{Command, "a"}, envelope{Answer, ""}))
	for _, b := range bad {
		f.Add(b.bytes[:min(len(b.bytes), 1000)])
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		all, err := read(bytes.NewReader(in))
		if err != io.EOF && !refusable(err) {
			t.Errorf("error: %v", err)
		}
		again, err := read(bytes.NewReader(frames(all...)))
		if diff := cmp.Diff(all, again); err != io.EOF || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

// TestEveryRefusalHasAReason: none is counted as another one.
func TestEveryRefusalHasAReason(t *testing.T) {
	seen := map[string]bool{}
	for _, err := range []error{proof.ErrSecret, proof.ErrProtocol, ErrStranger, ErrVersion, ErrOversized, ErrTruncated, ErrChecksum, ErrKind, ErrEnvelope, io.EOF} {
		seen[newRefusals().Of(fmt.Errorf("wrapped: %w", err))] = true
	}
	if len(seen) != 10 || seen["other"] {
		t.Errorf("reasons: %v", seen)
	}
}
