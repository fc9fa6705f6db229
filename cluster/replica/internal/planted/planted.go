// Package planted names mistakes that the simulation must be able to find.
//
// A simulation that never fails proves nothing until it has failed on purpose.
// Each constant is one mistake. Those of the model store, its disk and the simulated
// decisions about members are switched on where they are, in test code. Those of the engine
// are no part of it: TestPlanted of package sim builds itself with changed sources of package
// core that have them.
package planted

// Set is a set of mistakes.
type Set uint32

// The mistakes.
const (
	// AckBeforeSync answers appends and votes before they are on disk.
	AckBeforeSync Set = 1 << iota
	// IgnoreProposerTerm lets what was queued under one term be proposed,
	// applied and acknowledged in a later one.
	IgnoreProposerTerm
	// FenceIgnoresTerm lets a replica answer a fence for a term that it has left.
	FenceIgnoresTerm
	// FenceIgnoresOldConf counts the answers of the new voters only while members
	// change.
	FenceIgnoresOldConf
	// FenceAnsweredLate takes the answer to an earlier fence for one to the last.
	FenceAnsweredLate
	// VoucherOfAnotherTerm accepts a voucher for another leader.
	VoucherOfAnotherTerm
	// VoucherFromBefore sends an old voucher with a read.
	VoucherFromBefore
	// ReuseReplicaID gives a replica that lost its data its old id again.
	ReuseReplicaID
	// WipeOnInstallCrash empties a replica whose snapshot install was cut
	// short instead of doing the install again.
	WipeOnInstallCrash
	// PerWriteRevision checks the revision for the head only, so that a
	// rejected commit leaves its records behind.
	PerWriteRevision
	// StepCollision keys outcomes by request and forgets the step.
	StepCollision
	// DesiredForConfirmed judges by where the replicas of a node should be
	// whether the others can bear its loss, not by where they are.
	DesiredForConfirmed
	// JudgedOnce does not judge again when a node is given up.
	JudgedOnce
	// UnboundedTime accepts the proposer's clock, whatever the other clocks say.
	UnboundedTime
	// ResetKeepsLeases lets what was decided before the shard time was set back
	// be proposed afterwards.
	ResetKeepsLeases
	// TruncateBeforeFlush truncates what is applied and not yet in the state on
	// disk.
	TruncateBeforeFlush
	// ExportWithoutOverlay sends the state that is on disk as the one that is
	// applied.
	ExportWithoutOverlay
	// OverlaySurvivesInstall keeps what was applied before a snapshot came.
	OverlaySurvivesInstall
	// ReadDuringFlush reads from disk what is just being written there.
	ReadDuringFlush
	// OutcomeLostInFlush forgets outcomes when they are written.
	OutcomeLostInFlush
	// UnflushedConf reports a configuration that a crash can take back.
	UnflushedConf
	// LeavesByMap lets a drained node leave when the map has nothing on it, whatever
	// its groups are.
	LeavesByMap
	// EventLostInFlush forgets events when they are written.
	EventLostInFlush
	// EventOfRejected posts the events of a commit that is rejected.
	EventOfRejected
	// MarkedBeforeTold marks events as delivered before they are.
	MarkedBeforeTold
)

// Events are mistakes with events.
const Events = EventLostInFlush | EventOfRejected | MarkedBeforeTold

// Decisions are mistakes in decisions about members: see package sim on joins.
const Decisions = DesiredForConfirmed | JudgedOnce

// Scaling are mistakes in decisions about drains: see package sim on scale.
const Scaling = LeavesByMap

// InEngine are the mistakes of the engine.
const InEngine = IgnoreProposerTerm | FenceIgnoresTerm | FenceIgnoresOldConf | FenceAnsweredLate | UnboundedTime | ResetKeepsLeases

// Engine are those that a changed engine makes.
var Engine Set

// Has reports whether the mistake m is switched on.
func (s Set) Has(m Set) bool { return s&m != 0 }

var names = map[string]Set{
	"ack-before-sync":          AckBeforeSync,
	"ignore-proposer-term":     IgnoreProposerTerm,
	"fence-ignores-term":       FenceIgnoresTerm,
	"fence-ignores-old-conf":   FenceIgnoresOldConf,
	"fence-answered-late":      FenceAnsweredLate,
	"voucher-of-another-term":  VoucherOfAnotherTerm,
	"voucher-from-before":      VoucherFromBefore,
	"reuse-replica-id":         ReuseReplicaID,
	"wipe-on-install-crash":    WipeOnInstallCrash,
	"per-write-revision":       PerWriteRevision,
	"step-collision":           StepCollision,
	"desired-for-confirmed":    DesiredForConfirmed,
	"judged-once":              JudgedOnce,
	"unbounded-time":           UnboundedTime,
	"reset-keeps-leases":       ResetKeepsLeases,
	"truncate-before-flush":    TruncateBeforeFlush,
	"export-without-overlay":   ExportWithoutOverlay,
	"overlay-survives-install": OverlaySurvivesInstall,
	"read-during-flush":        ReadDuringFlush,
	"outcome-lost-in-flush":    OutcomeLostInFlush,
	"unflushed-conf":           UnflushedConf,
	"leaves-by-map":            LeavesByMap,
	"event-lost-in-flush":      EventLostInFlush,
	"event-of-rejected":        EventOfRejected,
	"marked-before-told":       MarkedBeforeTold,
}

// All returns every mistake by name.
func All() map[string]Set { return names }
