package linkdirectory

import (
	"container/list"
	"time"
)

// guessWindow is the length of the windows in which failed guesses of one
// device or address are counted.
const guessWindow = 15 * time.Minute

// maxWindows bounds the devices and the addresses that are remembered.
const maxWindows = 1 << 16

// windows counts the failed guesses of many guessers. The least recent one is
// forgotten when there are too many.
type windows struct {
	limit   int
	byKey   map[uint64]*list.Element // of *window
	order   *list.List               // least recently charged first
	changed map[uint64]struct{}
	stored  map[uint64]struct{} // has a record on disk, or will have
}

type window struct {
	key      uint64
	start    int64 // ms
	failures int
	open     int    // of these, not written yet: see guess
	unknown  string // fields of a later version
}

func newWindows(limit int) *windows {
	return &windows{
		limit: limit, byKey: make(map[uint64]*list.Element), order: list.New(),
		changed: make(map[uint64]struct{}), stored: make(map[uint64]struct{}),
	}
}

// current is the guesser's running window; nil when there is none.
func (w *windows) current(key uint64, now time.Time) *window {
	at, ok := w.byKey[key]
	if !ok || at.Value.(*window).over(now) {
		return nil
	}
	return at.Value.(*window)
}

func (x *window) end() int64 { return x.start + guessWindow.Milliseconds() }

func (x *window) over(now time.Time) bool { return now.UnixMilli() >= x.end() }

// wait returns how many ms a guesser must wait that has used up its budget; 0: none.
func (w *windows) wait(key uint64, budget int, now time.Time) int64 {
	x := w.current(key, now)
	if x == nil || x.failures < budget {
		return 0
	}
	return x.end() - now.UnixMilli()
}

// charge counts a guess, open or failed, and returns the start of the window it was
// counted in.
func (w *windows) charge(key uint64, open bool, now time.Time) (start int64) {
	x := w.current(key, now)
	if x == nil {
		w.drop(key)
		x = w.put(&window{key: key, start: now.UnixMilli()})
	}
	x.failures++
	w.order.MoveToBack(w.byKey[key])
	if open {
		x.open++
	} else {
		w.changed[key] = struct{}{}
	}
	return x.start
}

// settle ends an open guess: it is refunded, or has failed.
func (w *windows) settle(c charged, refund bool) {
	at, ok := w.byKey[c.key]
	if !ok || at.Value.(*window).start != c.start {
		return
	}
	x := at.Value.(*window)
	x.open--
	if !refund {
		w.changed[c.key] = struct{}{}
		return
	}
	if x.failures--; x.failures == 0 {
		w.drop(c.key)
	}
}

// put adds a window, forgetting the least recent one when there are too many.
func (w *windows) put(x *window) *window {
	if len(w.byKey) >= w.limit {
		w.drop(w.order.Front().Value.(*window).key)
	}
	w.byKey[x.key] = w.order.PushBack(x)
	return x
}

func (w *windows) drop(key uint64) {
	if at, ok := w.byKey[key]; ok {
		w.order.Remove(at)
		delete(w.byKey, key)
		w.changed[key] = struct{}{}
	}
}

// advance forgets windows that are over, at most limit of them.
func (w *windows) advance(now time.Time, limit int) {
	for range limit {
		front := w.order.Front()
		if front == nil || !front.Value.(*window).over(now) {
			return
		}
		w.drop(front.Value.(*window).key)
	}
}
