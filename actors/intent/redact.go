package intent

import "log/slog"

// Intents name viewers and hold commands. A log shows only what they are.

// LogValue keeps the contents out of logs.
func (*Intent) LogValue() slog.Value { return slog.StringValue("intent.Intent") }

// LogValue keeps the contents out of logs.
func (*Place) LogValue() slog.Value { return slog.StringValue("intent.Place") }

// LogValue keeps the contents out of logs.
func (*Settle) LogValue() slog.Value { return slog.StringValue("intent.Settle") }
