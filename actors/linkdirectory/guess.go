package linkdirectory

// maxGuesses bounds the guesses remembered. One that is forgotten early cannot
// be refunded.
const maxGuesses = 1 << 16

// guess is one resolve that was charged. It is remembered for a while, so that
// a repeat is not charged again and a settlement refunds exactly once.
type guess struct {
	hash                      [HashSize]byte
	reply                     *ResolveReply
	device, address           uint64
	deviceStart, addressStart int64
	open                      bool // found its code and is not settled
}
