package profile

import "log/slog"

// Commands, answers and state hold device identifiers and hashes of link codes.
// A log shows only what kind of message it was.

func redacted(name string) slog.Value { return slog.StringValue("profile." + name) }

// LogValue keeps the contents out of logs.
func (*State) LogValue() slog.Value { return redacted("State") }

// LogValue keeps the contents out of logs.
func (*Member) LogValue() slog.Value { return redacted("Member") }

// LogValue keeps the contents out of logs.
func (*Attributes) LogValue() slog.Value { return redacted("Attributes") }

// LogValue keeps the contents out of logs.
func (*Code) LogValue() slog.Value { return redacted("Code") }

// LogValue keeps the contents out of logs.
func (*Guest) LogValue() slog.Value { return redacted("Guest") }

// LogValue keeps the contents out of logs.
func (*ReadCode) LogValue() slog.Value { return redacted("ReadCode") }

// LogValue keeps the contents out of logs.
func (*Confirm) LogValue() slog.Value { return redacted("Confirm") }

// LogValue keeps the contents out of logs.
func (*CodeReply) LogValue() slog.Value { return redacted("CodeReply") }

// LogValue keeps the contents out of logs.
func (*Device) LogValue() slog.Value { return redacted("Device") }

// LogValue keeps the contents out of logs.
func (*Caller) LogValue() slog.Value { return redacted("Caller") }

// LogValue keeps the contents out of logs.
func (*Mint) LogValue() slog.Value { return redacted("Mint") }

// LogValue keeps the contents out of logs.
func (*Redeem) LogValue() slog.Value { return redacted("Redeem") }

// LogValue keeps the contents out of logs.
func (*Refresh) LogValue() slog.Value { return redacted("Refresh") }

// LogValue keeps the contents out of logs.
func (*Link) LogValue() slog.Value { return redacted("Link") }

// LogValue keeps the contents out of logs.
func (*LinkReply) LogValue() slog.Value { return redacted("LinkReply") }

// LogValue keeps the contents out of logs.
func (*NewCode) LogValue() slog.Value { return redacted("NewCode") }

// LogValue keeps the contents out of logs.
func (*Unlink) LogValue() slog.Value { return redacted("Unlink") }

// LogValue keeps the contents out of logs.
func (*Candidates) LogValue() slog.Value { return redacted("Candidates") }

// LogValue keeps the contents out of logs.
func (*UnlinkReply) LogValue() slog.Value { return redacted("UnlinkReply") }

// LogValue keeps the contents out of logs.
func (*List) LogValue() slog.Value { return redacted("List") }

// LogValue keeps the contents out of logs.
func (*ListReply) LogValue() slog.Value { return redacted("ListReply") }

// LogValue keeps the contents out of logs.
func (*ShowReply) LogValue() slog.Value { return redacted("ShowReply") }

// LogValue keeps the contents out of logs.
func (*Erase) LogValue() slog.Value { return redacted("Erase") }

// LogValue keeps the contents out of logs.
func (*EraseReply) LogValue() slog.Value { return redacted("EraseReply") }

// LogValue keeps the contents out of logs.
func (*SharedLogin) LogValue() slog.Value { return redacted("SharedLogin") }

// LogValue keeps the contents out of logs.
func (*See) LogValue() slog.Value { return redacted("See") }

// LogValue keeps the contents out of logs.
func (*Logins) LogValue() slog.Value { return redacted("Logins") }

// LogValue keeps the contents out of logs.
func (*LoginsReply) LogValue() slog.Value { return redacted("LoginsReply") }
