// Package db is Pebble as a store uses it: with the settings that
// persistence/DESIGN.md#settings-of-pebble explains, and an end when a write fails.
//
// What a failed fsync left behind is unknown, so it is never retried: [DB.Fail] ends
// everything, whoever asked with [DB.OnFail] is told, and Config.Fatal is called, which
// must end the process. So all writes go through [DB.Commit] and its like, never to
// Pebble itself.
package db
