package node

import "testing"

// TestMemoryAddsUp: when everything is full, two fifths are left for garbage.
func TestMemoryAddsUp(t *testing.T) {
	for _, memory := range []int64{256 << 20, 512 << 20, 1 << 30, 3 << 30, 64 << 30} {
		c := Config{Memory: memory}
		s := c.shares()
		cache := memory / 8 // as cmd/ssod has it
		const program = 48 << 20
		taken := cache + 2*int64(s.memtable) + s.entities + 2*s.unflushed + s.queues + program
		if least := memory * 2 / 5; memory-taken < least && memory >= 512<<20 {
			t.Errorf("%d MiB: %d are left for garbage, want %d", memory>>20, (memory-taken)>>20, least>>20)
		}
		if s.memtable < 16<<20 || s.memtable > 64<<20 {
			t.Errorf("%d MiB: memtables of %d MiB", memory>>20, s.memtable>>20)
		}
		if worst := 8*s.unflushed + 4*int64(s.memtable); worst > memory/2 {
			t.Errorf("%d MiB: %d not flushed or in memtables when the disk stands still", memory>>20, worst>>20)
		}
	}
	if none, small := (&Config{}).shares(), (&Config{Memory: 512 << 20}).shares(); none != small {
		t.Errorf("without a size: %+v, want %+v", none, small)
	}
}
