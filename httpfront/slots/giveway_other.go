//go:build !linux

package slots

// GiveWay does nothing where threads have no priority of their own.
func GiveWay() {}
