package linkdirectory

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

// RestoredHead is what a new cluster takes over of a stored directory: the meter, so that
// guessers gain nothing by a restore.
func RestoredHead(h cluster.Head, _ *actors.Restore) (cluster.Head, error) {
	if h.Schema != schema {
		return h, fmt.Errorf("%w: %d", errSchema, h.Schema)
	}
	if err := proto.Unmarshal(h.State, &State{}); err != nil {
		return h, fmt.Errorf("decode link directory: %w", err)
	}
	return h, nil
}

// RestoredRecord is what a new cluster takes over of a record of a stored directory: a
// code is not given out again for one lifetime, because it may still be on a screen. It
// leads to no profile. Counts of single guessers are dropped.
func RestoredRecord(rec cluster.Record, r *actors.Restore) (_ cluster.Record, stays bool, err error) {
	switch {
	case len(rec.Part) == 1+HashSize && rec.Part[0] == partCode:
		rec.Value, err = restoredCode(rec.Value, r)
		return rec, true, err
	case len(rec.Part) == 9 && (rec.Part[0] == partDevice || rec.Part[0] == partAddress):
		err = proto.Unmarshal(rec.Value, &Window{})
	case len(rec.Part) == 9 && rec.Part[0] == partRetired:
		err = decodeRetirements(rec.Value, func(retirement) {})
	default: // of a later version
		return rec, true, nil
	}
	return rec, false, err
}

func restoredCode(value []byte, r *actors.Restore) ([]byte, error) {
	m := &Entry{}
	if err := proto.Unmarshal(value, m); err != nil {
		return nil, fmt.Errorf("decode link code: %w", err)
	}
	if m.Length < MinLength || m.Length > MaxLength {
		return nil, fmt.Errorf("%w: code of length %d", errRecord, m.Length)
	}
	now := r.At.UnixMilli()
	m.Owner, m.Patterns, m.Network, m.Request, m.Step, m.Attempt = nil, nil, 0, nil, 0, 0
	m.ResolveUntilMs, m.KeepUntilMs = min(m.ResolveUntilMs, now), now+m.TtlMs
	return proto.Marshal(m)
}
