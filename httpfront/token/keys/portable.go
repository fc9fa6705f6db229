package keys

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/httpfront/token/keys/sealing"
)

// Unseal returns the keys of a table without the seal of their cluster, for a backup: the
// result contains the keys themselves. It fails with [ErrSealed] and, on a node that does
// not have them yet, with [sealing.ErrNoCopy].
func Unseal(table iter.Seq2[string, []byte], o sealing.Options) (map[string][]byte, error) {
	view, err := sealing.Read(table, &o, nil)
	if err != nil {
		return nil, err
	}
	portable := make(map[string][]byte)
	for id, raw := range table {
		if sealing.IsRecord(id) {
			continue
		}
		p := &Portable{Record: &Record{}}
		if err := proto.Unmarshal(raw, p.Record); err != nil {
			return nil, fmt.Errorf("key %s: %w", id, ErrSealed)
		}
		if p.Record.RevokedMs == 0 {
			if p.Secret, err = view.Open(p.Record.Sealed, sealLabel(id, p.Record)); err != nil {
				return nil, fmt.Errorf("key %s: %w", id, err)
			}
		}
		p.Record.Sealed = nil
		if portable[id], err = proto.Marshal(p); err != nil {
			return nil, fmt.Errorf("encode key %s: %w", id, err)
		}
	}
	return portable, nil
}

// ErrPortable: what should be a key of a backup is none.
var ErrPortable = errors.New("malformed key")

// ReadPortable decodes a key of a backup and checks that it is the one that its id says.
func ReadPortable(id string, raw []byte) (*Portable, error) {
	p := &Portable{}
	if err := proto.Unmarshal(raw, p); err != nil || p.GetRecord() == nil {
		return nil, fmt.Errorf("key %s: %w", id, ErrPortable)
	}
	if p.Record.RevokedMs != 0 {
		return p, nil
	}
	m, err := decodeMaterial(p.Record.Algorithm, p.Secret)
	if err != nil || m.thumbprint() != id {
		return nil, fmt.Errorf("key %s: %w", id, ErrPortable)
	}
	return p, nil
}

// Renewed is a key after a restore that invalidates all tokens: keys that sign service and
// access tokens are revoked, and others will be made.
func (p *Portable) Renewed(now time.Time) *Portable {
	use := Use(p.GetRecord().GetUse())
	if use != Service && use != Access || p.GetRecord().GetRevokedMs() != 0 {
		return p
	}
	record := proto.CloneOf(p.Record)
	record.RevokedMs = now.UnixMilli()
	return &Portable{Record: record}
}

// Seal makes the table of a new cluster, of keys by their ids: sealed under a key of the
// cluster's own that the node of the options has.
func Seal(keys map[string]*Portable, o sealing.Options, now time.Time) (map[string][]byte, error) {
	none, err := sealing.Read(maps.All(map[string][]byte{}), &o, nil)
	if err != nil {
		return nil, err
	}
	first, err := none.Found(now)
	if err != nil {
		return nil, err
	}
	table := first.Puts
	view, err := sealing.Read(maps.All(maps.Clone(table)), &o, nil)
	if err != nil {
		return nil, err
	}
	for id, p := range keys {
		record := proto.CloneOf(p.GetRecord())
		if record.RevokedMs == 0 {
			if record.Sealed, err = view.Seal(p.GetSecret(), sealLabel(id, record)); err != nil {
				return nil, fmt.Errorf("seal key %s: %w", id, err)
			}
		}
		if table[id], err = proto.Marshal(record); err != nil {
			return nil, fmt.Errorf("encode key %s: %w", id, err)
		}
	}
	return table, nil
}
