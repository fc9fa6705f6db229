//go:build !nextlevel

package level

// Newest is the newest level that this version knows. What each level brought is in
// cmd/ssod/docs/operating.md#format-levels.
const Newest = 2
