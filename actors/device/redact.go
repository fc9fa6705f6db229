package device

import "log/slog"

// Devices hold who a viewer is at an MVPD. A log shows only what kind of
// message it was.

func redacted(name string) slog.Value { return slog.StringValue("device." + name) }

// LogValue keeps the contents out of logs.
func (*State) LogValue() slog.Value { return redacted("State") }

// LogValue keeps the contents out of logs.
func (*Regular) LogValue() slog.Value { return redacted("Regular") }

// LogValue keeps the contents out of logs.
func (*Begin) LogValue() slog.Value { return redacted("Begin") }

// LogValue keeps the contents out of logs.
func (*BeginReply) LogValue() slog.Value { return redacted("BeginReply") }

// LogValue keeps the contents out of logs.
func (*LoginsReply) LogValue() slog.Value { return redacted("LoginsReply") }

// LogValue keeps the contents out of logs.
func (*Leave) LogValue() slog.Value { return redacted("Leave") }

// LogValue keeps the contents out of logs.
func (*LeaveReply) LogValue() slog.Value { return redacted("LeaveReply") }
