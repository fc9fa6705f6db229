// Package disk is what a store asks of the disk that its data directory is on.
//
// A [Directory] is locked while it is used, and its small files are replaced as a
// whole. [Space] watches what is free and keeps a ballast that is given back when
// the disk is full all the same. A [Watermark] tells that the end of what was
// written is gone.
//
// Four file systems lie over another one:
//
//	[BusyFS]    names the write or sync that hangs
//	[MarkerFS]  lets no crash leave a marker of Pebble that points to nothing
//	[TableFS]   writes tables in large pieces
//	[StaleFS]   lets files with what was erased not be written over
//
// None of it knows what is stored.
package disk
