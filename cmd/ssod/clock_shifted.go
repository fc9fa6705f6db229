//go:build shiftedclock

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// clockFile is the environment variable that names the file with how much the clock is
// ahead, such as 9840h or -5m. Without the file it is right.
const clockFile = "SHIFTED_CLOCK_FILE"

// lookEvery is how often the file is read at most.
const lookEvery = 50 * time.Millisecond

// clock is a clock that tests set while the process runs, as a machine's can be. What
// measures elapsed time uses the monotonic clock, which cannot be set.
func clock() func() time.Time {
	c := &shiftedClock{file: os.Getenv(clockFile)}
	return c.now
}

type shiftedClock struct {
	file   string
	mu     sync.Mutex
	looked time.Time
	ahead  time.Duration
}

// now has no monotonic reading: it would be shifted too, unlike that of a clock that is
// set.
func (c *shiftedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.looked.IsZero() || now.Sub(c.looked) >= lookEvery {
		c.looked, c.ahead = now, c.read()
	}
	return now.Round(0).Add(c.ahead)
}

func (c *shiftedClock) read() time.Duration {
	text, err := os.ReadFile(c.file)
	if c.file == "" || errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		panic(fmt.Sprintf("read the shifted clock: %v", err))
	}
	ahead, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		panic(fmt.Sprintf("read the shifted clock: %v", err))
	}
	return ahead
}
