//go:build !nextlevel

package level

// Newest is the newest level that this version knows.
const Newest = 1
