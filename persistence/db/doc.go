// Package db is Pebble as a store uses it: with the settings that
// persistence/DESIGN.md#settings-of-pebble explains, and an end when a write fails.
//
// What a failed fsync left on disk is unknown, so it is never retried: [DB.Fail] ends the
// store, calls what [DB.OnFail] has registered, and Config.Fatal, which must end the
// process. So all writes go through [DB.Commit] and its like, never to Pebble itself.
package db
