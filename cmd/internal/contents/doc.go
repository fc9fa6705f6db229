// Package contents knows what a backup contains: it decodes every record with the
// package that wrote it, and decides what of it a new cluster takes over.
//
// The packages of entities decide about theirs (Restored). Of the meta tables a new
// cluster takes over keys, software statements and revocations, but not the registry of
// nodes, the map of shards or the settings.
package contents
