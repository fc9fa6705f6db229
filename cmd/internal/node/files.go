package node

import "syscall"

const (
	// maxConnections is how many connections the public listener has at most.
	maxConnections = 20_000
	// storeFiles is how many files the node opens beside them: those of the
	// store, and the connections of operators.
	storeFiles = 1_500
)

// connections is how many connections of the public listener leave the store
// enough of so many files: a store that cannot open one ends the process.
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
