//go:build !linux

package mediatoken

// giveWay does nothing where threads have no priority of their own.
func giveWay() {}
