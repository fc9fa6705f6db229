// Package contents knows what a backup contains: it decodes every record with the
// package that wrote it, and decides what of it a new cluster takes over.
//
// The packages of entities say what stays of theirs (Restored). Of the meta tables stay
// keys, software statements and revocations. The registry of nodes, the map of shards
// and what they agreed on are of a cluster that is gone, and made anew.
package contents
