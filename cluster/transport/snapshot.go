package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/time/rate"

	"ssod/cluster"
	"ssod/cluster/wait"
)

const (
	// snapshots is how many are sent, and how many are received, at a time.
	snapshots = 2
	// chunkSize is how much of one is sent at a time.
	chunkSize = 128 << 10
	// stall is how many silences a snapshot may make no progress, because of disks.
	stall = 10
	// settle is how long a receiver may take to make one durable.
	settle = 2 * time.Minute
	// making is how long a sender may take to make one that has a slot.
	making = 2 * time.Minute
)

// errFile says that the file failed, not the connection.
var errFile = errors.New("read the file")

func (n *Network) sendSnapshot(to NodeID, s *cluster.Snapshot) error {
	p := n.peer(to)
	if p == nil {
		return ErrUnknownNode
	}
	if !validName(s.Name) {
		return fmt.Errorf("%w: offer", ErrFrame)
	}
	select {
	case n.sending <- struct{}{}:
	case <-n.ctx.Done():
		return ErrClosed
	}
	defer func() { <-n.sending }()
	l, err := p.reach(p.ctx, forSnapshot)
	if err != nil {
		return err
	}
	defer l.Close()
	defer context.AfterFunc(p.ctx, func() { l.Close() })()
	return n.reserve(l, s)
}

// reserve gets a slot and disk space at the receiver before the snapshot is made: one that
// waits for its turn would get old, and one that is refused would be made for nothing.
func (n *Network) reserve(l *link, s *cluster.Snapshot) error {
	if err := l.send(kindReserve, binary.BigEndian.AppendUint64(nil, s.Size), n.cfg.Silence); err != nil {
		return err
	}
	if err := l.expect(kindGo, n.cfg.SnapshotWait+n.cfg.Handshake); err != nil {
		return err
	}
	file, frame, err := s.Make()
	if err != nil {
		return err
	}
	defer file.Close()
	if len(frame) > n.cfg.MaxFrame-1-maxString {
		return fmt.Errorf("%w: offer", ErrFrame)
	}
	return n.offer(l, s, file, frame)
}

// offer sends the snapshot.
func (n *Network) offer(l *link, s *cluster.Snapshot, file io.Reader, frame []byte) error {
	_ = l.SetWriteDeadline(time.Now().Add(n.cfg.Silence))
	if err := l.writer.put(kindOffer, append([]byte{byte(len(s.Name))}, s.Name...), frame); err != nil {
		return err
	}
	sum, err := n.sendChunks(l, s, file)
	if err == nil {
		err = l.send(kindEnd, sum, n.cfg.Silence)
	}
	if gone(err) && !errors.Is(err, errFile) {
		// The receiver may have said why before it hung up.
		return l.expect(kindDone, n.cfg.Silence)
	}
	if err != nil {
		return err
	}
	return l.expect(kindDone, settle)
}

// sendChunks sends the file and returns the payload of its end: size and checksum.
func (n *Network) sendChunks(l *link, s *cluster.Snapshot, file io.Reader) ([]byte, error) {
	sum, size := xxhash.New(), uint64(0)
	buf := make([]byte, chunkSize)
	own := rate.NewLimiter(0, chunkSize)
	for {
		k, err := io.ReadFull(file, buf)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("%w: %w", errFile, err)
		}
		if k == 0 {
			return encodeEnd(size, sum.Sum64()), nil
		}
		size += uint64(k)
		_, _ = sum.Write(buf[:k])
		own.SetLimit(rate.Limit(s.Rate()))
		if err := n.wait(own, k); err != nil {
			return nil, err
		}
		if err := l.send(kindChunk, buf[:k], stall*n.cfg.Silence); err != nil {
			return nil, err
		}
	}
}

// wait waits until k bytes may leave: by the pace of all snapshots or by that of this
// one, whichever allows it sooner.
func (n *Network) wait(own *rate.Limiter, k int) error {
	all, one := n.pace.ReserveN(time.Now(), k), own.ReserveN(time.Now(), k)
	delay := all.Delay()
	if one.OK() && one.Delay() < delay {
		delay = one.Delay()
		all.Cancel()
	} else {
		one.Cancel()
	}
	if delay > 0 && wait.Pause(n.ctx, delay) != nil {
		return ErrClosed
	}
	return nil
}

// expect reads one frame without a payload, or a refusal.
func (l *link) expect(want kind, within time.Duration) error {
	l.patience = within
	k, b, err := l.reader.next()
	switch {
	case err != nil:
		return err
	case k == kindRefusal:
		return decodeRefusal(b)
	case k != want || len(b) > 0:
		return fmt.Errorf("%w: kind %d of %d bytes", ErrFrame, k, len(b))
	}
	return nil
}

// receiveSnapshot is the receiving side.
func (n *Network) receiveSnapshot(p *peer, l *link) error {
	size, err := readReservation(l)
	if err != nil {
		return err
	}
	if err := n.engine.AdmitSnapshot(size); err != nil {
		return fmt.Errorf("%w: snapshot of %d bytes from node %d: %w", ErrRefused, size, p.id, err)
	}
	if err := n.takeTurn(); err != nil {
		return err
	}
	defer func() { <-n.taking }()
	if err := l.send(kindGo, nil, n.cfg.Silence); err != nil {
		return err
	}
	l.patience = making
	name, frame, err := readOffer(l)
	if err != nil {
		return err
	}
	l.patience = stall * n.cfg.Silence
	file := &snapshotFile{l: l, sum: xxhash.New()}
	if err := n.engine.DeliverSnapshot(p.id, name, file, frame); err != nil {
		return fmt.Errorf("%w: snapshot %s from node %d: %w", ErrRefused, name, p.id, err)
	}
	if !file.whole {
		return fmt.Errorf("%w: snapshot %s from node %d was not read", ErrRefused, name, p.id)
	}
	return l.send(kindDone, nil, n.cfg.Silence)
}

// takeTurn waits until the node may receive another snapshot.
func (n *Network) takeTurn() error {
	select {
	case n.waiting <- struct{}{}:
		defer func() { <-n.waiting }()
	default:
		return fmt.Errorf("%w: too many snapshots wait", ErrBusy)
	}
	t := time.NewTimer(n.cfg.SnapshotWait)
	defer t.Stop()
	select {
	case n.taking <- struct{}{}:
		return nil
	case <-t.C:
		return fmt.Errorf("%w: snapshots are being received", ErrBusy)
	case <-n.ctx.Done():
		return ErrClosed
	}
}

// readReservation reads how long a snapshot will be.
func readReservation(l *link) (size uint64, err error) {
	k, b, err := l.reader.next()
	if err != nil {
		return 0, err
	}
	if k != kindReserve || len(b) != 8 {
		return 0, fmt.Errorf("%w: no reservation", ErrFrame)
	}
	return binary.BigEndian.Uint64(b), nil
}

// readOffer reads a snapshot's name and the frame that goes with it.
func readOffer(l *link) (name string, frame []byte, err error) {
	k, b, err := l.reader.next()
	if err != nil {
		return "", nil, err
	}
	if k != kindOffer || len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, fmt.Errorf("%w: no offer", ErrFrame)
	}
	end := 1 + int(b[0])
	if name = string(b[1:end]); !validName(name) {
		return "", nil, fmt.Errorf("%w: snapshot name %q", ErrFrame, name)
	}
	return name, append([]byte(nil), b[end:]...), nil
}

// validName refuses names that could name a file elsewhere.
func validName(name string) bool {
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxString
}

// snapshotFile is a file that is being received. Reading it ends with io.EOF only when all
// of it came intact.
type snapshotFile struct {
	l     *link
	rest  []byte // of the chunk that came last
	sum   *xxhash.Digest
	size  uint64
	whole bool
}

// Read implements [io.Reader].
func (f *snapshotFile) Read(b []byte) (int, error) {
	for len(f.rest) == 0 {
		if f.whole {
			return 0, io.EOF
		}
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *snapshotFile) next() error {
	k, b, err := f.l.reader.next()
	switch {
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	case k == kindChunk:
		f.rest, f.size = b, f.size+uint64(len(b))
		_, _ = f.sum.Write(b)
		return nil
	case k == kindEnd && string(b) == string(encodeEnd(f.size, f.sum.Sum64())):
		f.whole = true
		return nil
	}
	return fmt.Errorf("%w: kind %d after %d bytes", ErrChecksum, k, f.size)
}

func encodeEnd(size, sum uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, size), sum)
}
