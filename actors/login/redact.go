package login

import "log/slog"

// Logins hold who a viewer is at an MVPD. A log shows only what kind of message
// it was.

func redacted(name string) slog.Value { return slog.StringValue("login." + name) }

// LogValue keeps the contents out of logs.
func (*Login) LogValue() slog.Value { return redacted("Login") }

// LogValue keeps the contents out of logs.
func (*Account) LogValue() slog.Value { return redacted("Account") }

// LogValue keeps the contents out of logs.
func (*Attribute) LogValue() slog.Value { return redacted("Attribute") }

// LogValue keeps the contents out of logs.
func (*Sharing) LogValue() slog.Value { return redacted("Sharing") }

// LogValue keeps the contents out of logs.
func (*Ended) LogValue() slog.Value { return redacted("Ended") }

// LogValue keeps the contents out of logs.
func (*Keep) LogValue() slog.Value { return redacted("Keep") }

// LogValue keeps the contents out of logs.
func (*KeepReply) LogValue() slog.Value { return redacted("KeepReply") }

// LogValue keeps the contents out of logs.
func (*Share) LogValue() slog.Value { return redacted("Share") }

// LogValue keeps the contents out of logs.
func (*End) LogValue() slog.Value { return redacted("End") }

// LogValue keeps the contents out of logs.
func (*EndReply) LogValue() slog.Value { return redacted("EndReply") }

// LogValue keeps the contents out of logs.
func (*EndAll) LogValue() slog.Value { return redacted("EndAll") }

// LogValue keeps the contents out of logs.
func (*EndAllReply) LogValue() slog.Value { return redacted("EndAllReply") }
