package placement

import (
	"testing"
	"time"
)

func TestSilenceIsThatOfAListener(t *testing.T) {
	const gap = 10 * time.Second
	begin := time.Now()
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	tests := []struct {
		name  string
		looks []int // when it listened
		met   int   // when it learned of the other; -1: never
		heard int   // when it heard it last; -1: never
		now   int
		want  time.Duration
	}{
		{"heard lately", []int{0, 5, 10, 15, 20}, 0, 18, 21, 3 * time.Second},
		{"never heard", []int{0, 5, 10, 15, 20}, 0, -1, 21, 21 * time.Second},
		{"a stranger", []int{0, 5, 10, 15, 20}, -1, -1, 21, 0},
		{"it has just joined", []int{0, 5, 10, 15, 20}, 19, -1, 21, 2 * time.Second},
		{"the listener has just started", []int{20}, 20, -1, 21, time.Second},
		{"the listener slept and woke", []int{0, 5, 10, 60, 61}, 0, 8, 62, 2 * time.Second},
		{"the listener sleeps", []int{0, 5, 10}, 0, 8, 60, 0},
		{"the listener was slow", []int{0, 10, 20, 30}, 0, 1, 31, 30 * time.Second},
		{"it has never listened", nil, 0, -1, 60, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v vigil
			if tt.met >= 0 {
				v.meet(2, at(tt.met))
				v.meet(2, at(tt.met+100)) // it knows already
			}
			for _, s := range tt.looks {
				v.look(at(s), gap)
			}
			heard := time.Time{}
			if tt.heard >= 0 {
				heard = at(tt.heard)
			}
			if got := v.silence(2, at(tt.now), heard, gap); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
