package node

import "syscall"

const (
	// maxConnections is how many connections the public listener has at most.
	maxConnections = 20_000
	// storeFiles is how many other files the node opens: those of the store, and the
	// connections of operators.
	storeFiles = 1_500
)

// connections is how many connections the public listener may have with a limit of files:
// a store that cannot open a file ends the process.
func connections(files uint64) int {
	spare := files / 2
	if files > 2*storeFiles {
		spare = files - storeFiles
	}
	return int(min(spare, maxConnections))
}

// openFiles is how many files the process may have open. The Go runtime has
// raised it to what is allowed.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return maxConnections + storeFiles
	}
	return limit.Cur
}
