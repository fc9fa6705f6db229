package node

import "syscall"

// mountMemory mounts a file system in memory; root may.
func mountMemory(at string) error { return syscall.Mount("tmpfs", at, "tmpfs", 0, "size=1m") }

func unmount(at string) error { return syscall.Unmount(at, 0) }
