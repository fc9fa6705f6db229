package data

// ShardID numbers a shard. Shard 0 is the meta group, 1..N hold entities.
type ShardID uint16

// Entity names what a commit concerns: its kind ("profile") and its identity,
// an opaque byte string of at most [MaxIdentity] bytes that the entity's owner
// encodes (a length-prefixed tuple, never joined with a separator).
type Entity struct {
	Kind     string // 1..32 bytes
	Identity string // 1..MaxIdentity bytes
}

// RequestID identifies one request of a client across retries and nodes: 128
// random bits that the front end draws, never a client's header.
type RequestID [16]byte

// Head is an entity's main record.
type Head struct {
	// Rev counts the commits to the entity; the first leaves 1.
	Rev uint64
	// Schema is the version of State's format, chosen by the entity's package.
	Schema uint32
	// State is the entity's encoded state.
	State []byte
}

// Record is one record of an entity besides its head.
type Record struct {
	Part  string // 1..MaxPart bytes
	Value []byte
}

// Outcome is the answer of one step of a request, kept for [OutcomeWindow] of
// shard time so that a repeated request gets the first answer.
type Outcome struct {
	Request RequestID
	Step    uint32
	Result  []byte
}

// Commit is a change of one entity: all of it happens or nothing does.
type Commit struct {
	Entity Entity
	// BaseRev is the revision the change was decided on; 0 means that the
	// entity does not exist. A commit whose BaseRev is not the stored
	// revision is rejected and leaves no trace.
	BaseRev uint64
	// Schema and State become the new head, with revision BaseRev+1.
	Schema uint32
	State  []byte
	// Remove deletes the head and all records; State, Puts and Deletes must then be
	// empty. Outcomes are still written.
	Remove bool
	// Forget drops the outcomes of earlier commits, so that together with Remove
	// nothing of the entity is left. A repeated request is a new one then.
	Forget bool
	// Puts and Deletes change records.
	Puts    []Record
	Deletes []string
	// Outcomes are the answers of the requests that this commit carries out.
	Outcomes []Outcome
	// Events are told to others once the commit is applied.
	Events []Event
	// Marks say what became of events. A commit with marks has no Entity, which none
	// changes, and nothing else but events, which are the shard's own then.
	Marks []Mark
}
