package raftlog

import (
	"fmt"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// load reads the number of the last batch and checks that none is missing, neither in the
// middle nor up to the one that was certainly written.
func (l *Log) load(certain uint64) error {
	count, err := l.number(layout.CountKey)
	if err != nil {
		return err
	}
	sequence, err := l.number(layout.SequenceKey)
	if err != nil {
		return err
	}
	l.sequence.Store(sequence)
	if count != sequence || sequence < certain {
		return fmt.Errorf("%w: changes are lost (%d batches, the last of them %d; %d was acknowledged)",
			data.ErrDamaged, count, sequence, certain)
	}
	l.durable.advance(sequence)
	return nil
}

func (l *Log) number(key []byte) (uint64, error) {
	b, err := l.db.Read(key)
	if err != nil {
		return 0, err
	}
	return layout.ParseNumber(b)
}

// Durable is the number of the last batch that is on disk. It never falls.
func (l *Log) Durable() uint64 { return l.durable.batch.Load() }

// Settle waits until all batches that have begun are on disk, and returns the number of
// the last one.
func (l *Log) Settle() (uint64, error) {
	last := l.sequence.Load()
	return last, l.durable.wait(last)
}
