// Package disk is what a store needs of the disk that its data directory is on.
//
// A [Directory] is locked while it is used, and its small files are replaced atomically.
// [Space] watches the free space and keeps a ballast that is deleted when the disk is full
// all the same. A [Watermark] detects that the end of what was written is lost.
//
// Four file systems lie over another one:
//
//	[BusyFS]    names the write or sync that hangs
//	[MarkerFS]  keeps a crash from leaving a marker of Pebble that points to nothing
//	[TableFS]   writes tables in large pieces
//	[StaleFS]   keeps files with erased data from being reused
package disk
