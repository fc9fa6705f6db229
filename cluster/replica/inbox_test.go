package replica

import (
	"testing"

	"ssod/cluster/replica/core"
)

// Frames that wait are bounded in number and in bytes; one is taken whatever its size.
func TestFramesThatWaitAreBounded(t *testing.T) {
	tests := []struct {
		name        string
		size, taken int
	}{
		{"small frames", 1, maxFrames},
		{"frames of 16 MiB", 16 << 20, maxFrameBytes / (16 << 20)},
		{"the largest frames", core.MaxFrame, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b inbox
			frame := input{size: tt.size, do: func(*core.Core) {}}
			for range 2 * maxFrames {
				b.frame(frame)
			}
			if got := len(b.queued.inputs); got != tt.taken {
				t.Errorf("%d of them wait, want %d", got, tt.taken)
			}
			b.drain(nil)
			b.frame(frame)
			if got := len(b.queued.inputs); got != 1 {
				t.Errorf("%d wait after the others were handed over, want 1", got)
			}
		})
	}
}
