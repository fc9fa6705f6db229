// Package model is a [core.Store] in memory that says exactly what a crash
// leaves.
//
// It keeps two disks. Every write is applied to the current one at once and
// remembered; a sync applies what is remembered to the durable one too. A crash
// applies only the beginning of it, of a length that the test chooses, and continues
// from there. So the model has the one property that the engine relies on, a
// write-ahead log that loses nothing but an end, and shares no code with the store
// that it stands for.
package model
