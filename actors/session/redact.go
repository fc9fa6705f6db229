package session

import "log/slog"

// Sessions hold secrets of browsers and who wants to log in. A log shows only
// what kind of message it was.

func redacted(name string) slog.Value { return slog.StringValue("session." + name) }

// LogValue keeps the contents out of logs.
func (*State) LogValue() slog.Value { return redacted("State") }

// LogValue keeps the contents out of logs.
func (*Parameters) LogValue() slog.Value { return redacted("Parameters") }

// LogValue keeps the contents out of logs.
func (*Party) LogValue() slog.Value { return redacted("Party") }

// LogValue keeps the contents out of logs.
func (*Create) LogValue() slog.Value { return redacted("Create") }

// LogValue keeps the contents out of logs.
func (*Amend) LogValue() slog.Value { return redacted("Amend") }

// LogValue keeps the contents out of logs.
func (*View) LogValue() slog.Value { return redacted("View") }

// LogValue keeps the contents out of logs.
func (*Open) LogValue() slog.Value { return redacted("Open") }

// LogValue keeps the contents out of logs.
func (*OpenReply) LogValue() slog.Value { return redacted("OpenReply") }

// LogValue keeps the contents out of logs.
func (*Decline) LogValue() slog.Value { return redacted("Decline") }

// LogValue keeps the contents out of logs.
func (*DeclineReply) LogValue() slog.Value { return redacted("DeclineReply") }

// LogValue keeps the contents out of logs.
func (*Finish) LogValue() slog.Value { return redacted("Finish") }

// LogValue keeps the contents out of logs.
func (*FinishReply) LogValue() slog.Value { return redacted("FinishReply") }
