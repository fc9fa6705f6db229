//go:build nextlevel

package level

// Newest is the newest level that this version knows. This build stands for the version
// that comes next, so that tests can upgrade a cluster to it.
const Newest = 2
