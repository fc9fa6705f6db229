package faultrun

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// Fault is something that must never happen, whatever dies.
type Fault int

// The faults, in the order of a verdict's line.
const (
	// DoubleOwner: a node answered for a shard that another one owned. That
	// is an answer which contradicts what was acknowledged before it was asked
	// for and holds afterwards, a success without a majority, one membership
	// number for two devices, or two leaders of a shard in one term.
	DoubleOwner Fault = iota
	// LostAck: something that was acknowledged is not true any more.
	LostAck
	// Resurrected: a device that was unlinked is there again, in a list or with
	// a token that is renewed.
	Resurrected
	// DoubleRedeem: a link code admitted two devices.
	DoubleRedeem
	// CrossTenant: a realm accepted a token or a code of the other one, or
	// showed a viewer somebody else's device.
	CrossTenant
	// SecretLeak: a token, code or client secret is in a log, in the metrics or
	// in the body of an error.
	SecretLeak
	faults
)

var faultNames = [faults]string{
	"double_owner_served", "lost_acks", "resurrected_devices", "double_redeem", "cross_tenant", "secret_leaks",
}

// Verdict counts what must not happen. It is safe for concurrent use.
type Verdict struct {
	mu     sync.Mutex
	counts [faults]int
	notes  []string // the first of them, in words
}

// maxNotes is how many faults are told in words.
const maxNotes = 20

// Found counts a fault. The words must not hold secrets.
func (v *Verdict) Found(f Fault, format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counts[f]++
	if len(v.notes) < maxNotes {
		v.notes = append(v.notes, faultNames[f]+": "+fmt.Sprintf(format, args...))
	}
}

// String is the line that each run prints.
func (v *Verdict) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var words []string
	for f, n := range v.counts {
		words = append(words, fmt.Sprintf("%s=%d", faultNames[f], n))
	}
	return strings.Join(words, " ")
}

// Report prints the line and fails the test for each fault.
func (v *Verdict) Report(t testing.TB) {
	t.Helper()
	t.Log(v)
	for _, note := range v.notes {
		t.Error(note)
	}
}
