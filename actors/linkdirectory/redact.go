package linkdirectory

import "log/slog"

// Commands, answers and state hold hashes of link codes and name viewers and
// guessers. A log shows only what kind of message it was.

func redacted(name string) slog.Value { return slog.StringValue("linkdirectory." + name) }

// LogValue keeps the contents out of logs.
func (*Entry) LogValue() slog.Value { return redacted("Entry") }

// LogValue keeps the contents out of logs.
func (*Retirements) LogValue() slog.Value { return redacted("Retirements") }

// LogValue keeps the contents out of logs.
func (*Reserve) LogValue() slog.Value { return redacted("Reserve") }

// LogValue keeps the contents out of logs.
func (*Resolve) LogValue() slog.Value { return redacted("Resolve") }

// LogValue keeps the contents out of logs.
func (*ResolveReply) LogValue() slog.Value { return redacted("ResolveReply") }

// LogValue keeps the contents out of logs.
func (*Settle) LogValue() slog.Value { return redacted("Settle") }

// LogValue keeps the contents out of logs.
func (*Retire) LogValue() slog.Value { return redacted("Retire") }

// LogValue keeps the contents out of logs.
func (*Guesser) LogValue() slog.Value { return redacted("Guesser") }

// LogValue keeps the contents out of logs.
func (*Charge) LogValue() slog.Value { return redacted("Charge") }

// LogValue keeps the contents out of logs.
func (*ReserveReply) LogValue() slog.Value { return redacted("ReserveReply") }
