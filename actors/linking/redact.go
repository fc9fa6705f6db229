package linking

import "log/slog"

// Commands and answers name viewers and hold digests of link codes and of devices. A
// log shows only what kind of message it was.

func redacted(name string) slog.Value { return slog.StringValue("linking." + name) }

// LogValue keeps the contents out of logs.
func (*Link) LogValue() slog.Value { return redacted("Link") }

// LogValue keeps the contents out of logs.
func (*LinkReply) LogValue() slog.Value { return redacted("LinkReply") }

// LogValue keeps the contents out of logs.
func (*Redeem) LogValue() slog.Value { return redacted("Redeem") }

// LogValue keeps the contents out of logs.
func (*RedeemReply) LogValue() slog.Value { return redacted("RedeemReply") }
