package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// size is a number of bytes on the command line, written as GOMEMLIMIT is: 512MiB.
type size int64

var units = []struct {
	suffix string
	shift  uint
}{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"B", 0}}

func (s *size) UnmarshalText(text []byte) error {
	number, shift := string(text), uint(0)
	for _, u := range units {
		if n, found := strings.CutSuffix(number, u.suffix); found {
			number, shift = n, u.shift
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift {
		return fmt.Errorf("%q is no size such as 64MiB or 2GiB", text)
	}
	*s = size(n << shift)
	return nil
}

// The cache is an eighth of the machine's memory, within these bounds: with less even the
// indexes of the store's files are read again and again, and more adds little to the
// operating system's cache.
const (
	leastCache = 32 << 20
	mostCache  = 1 << 30
)

// cacheFor is the cache for a process with a limit of memory.
func cacheFor(memory int64) int64 { return min(mostCache, max(leastCache, memory/8)) }

// memory is the memory limit of the process: the least of the machine's memory, its
// control group's limit and GOMEMLIMIT.
func memory() int64 {
	least := min(debug.SetMemoryLimit(-1), cgroupMemory("/proc/self/cgroup", "/sys/fs/cgroup"))
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err == nil { // without an answer the others count
		least = min(least, int64(machine.Totalram)*int64(machine.Unit))
	}
	return least
}

// cgroupMemory is the least limit of the process's control groups, of version 2 or 1. If
// there is none, or it cannot be read, there is no limit.
func cgroupMemory(membership, root string) int64 {
	least := int64(math.MaxInt64)
	groups, err := os.ReadFile(membership)
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(groups)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		file := "memory.max"
		dir := root
		if controllers != "" {
			file, dir = "memory.limit_in_bytes", filepath.Join(root, controllers)
		}
		// In a container the group's path may be that of the host.
		for ; ; group = filepath.Dir(group) {
			least = min(least, limitIn(filepath.Join(dir, group, file)))
			if group == "/" || group == "." || group == "" {
				break
			}
		}
	}
	return least
}

// limitIn is the number in a file, no limit if there is none.
func limitIn(file string) int64 {
	b, err := os.ReadFile(file)
	if err != nil {
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil { // "max"
		return math.MaxInt64
	}
	return n
}
