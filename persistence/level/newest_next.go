//go:build nextlevel

package level

// Newest is the newest level that this version knows. This build stands for the next
// version, so that tests can upgrade a cluster to it.
const Newest = 3
