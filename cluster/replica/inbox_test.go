package replica

import (
	"testing"

	"ssod/cluster/replica/core"
)

// What waits for the loop is bounded by bytes, not only by number, and a frame that
// is longer than all that is taken where nothing else waits.
func TestFramesThatWaitAreBounded(t *testing.T) {
	c, err := core.New(core.Config{Node: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name                string
		first, size, frames int
		want                int
	}{
		{"small", 0, 100, 2 * maxFrames, maxFrames},
		{"large", 0, maxFrameBytes / 8, 20, 8},
		{"one too long", maxFrameBytes + 1, 1, 20, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b inbox
			b.init()
			for range 2 { // what is taken makes room
				if tt.first > 0 {
					b.frame(input{size: tt.first})
				}
				for range tt.frames {
					b.frame(input{size: tt.size})
				}
				if b.frames != tt.want {
					t.Errorf("%d frames wait, want %d", b.frames, tt.want)
				}
				b.drain(c)
			}
		})
	}
}
