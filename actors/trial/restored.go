package trial

import (
	"bytes"

	"ssod/actors/intent"
	"ssod/cluster"
)

// Has reports whether a kind is one of this package.
func Has(kind string) bool {
	switch kind {
	case KindName, KeyKind, AddressKind, EpochKind:
		return true
	}
	return false
}

// Restored is what a new cluster takes over of a stored entity of this package: all of it.
// Whoever had a trial before the backup had it.
func Restored(kind string, h cluster.Head) (err error) {
	switch kind {
	case KindName:
		_, err = intent.Decode[Trial](h)
	case KeyKind:
		_, err = intent.Decode[Key](h)
	case AddressKind:
		_, err = intent.Decode[Address](h)
	case EpochKind:
		_, err = intent.Decode[Epoch](h)
	}
	return err
}

// Next is where a stored entity leads: a key to its trial, a trial to the one that it yields
// to; nil: nowhere.
func Next(kind string, h cluster.Head) ([]byte, error) {
	switch kind {
	case KeyKind:
		s, err := intent.Decode[Key](h)
		return some(s.GetTrial()), err
	case KindName:
		s, err := intent.Decode[Trial](h)
		return some(s.GetYields()), err
	}
	return nil, nil
}

// LeadsTo reports whether a stored key leads to a trial.
func LeadsTo(h cluster.Head, id []byte) bool {
	s, err := intent.Decode[Key](h)
	return err == nil && len(id) > 0 && bytes.Equal(s.GetTrial(), id)
}
