package placement

import (
	"testing"
	"time"
)

// What a node may have been answered without a change counts from the last
// question that can have been: of this leader before the change was made, or of
// one before it.
func TestTheLastQuestionWithoutAChange(t *testing.T) {
	begin := time.Now()
	at := func(seconds int) time.Time {
		if seconds < 0 {
			return time.Time{}
		}
		return begin.Add(time.Duration(seconds) * time.Second)
	}
	tests := []struct {
		name               string
		leads, asked, made int // since when this node leads, was asked, and has the change; -1: it does not, or never
		want               int
	}{
		{"it asked, then the change was made", 0, 50, 51, 50},
		{"it asked after the change", 0, 52, 51, 51},
		{"it was silent for long", 0, 20, 60, 20},
		{"it never asked this leader", 30, -1, 60, 30},
		{"it asked in an earlier term of this leader", 30, 20, 60, 30},
		{"the leader knows that it leads only after the change", 61, -1, 60, 60},
		{"this node leads no more", -1, 20, 60, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := lastWithout(at(tt.made), at(tt.leads), at(tt.asked), tt.leads >= 0); !got.Equal(at(tt.want)) {
				t.Errorf("got %v after the beginning, want %ds", got.Sub(begin), tt.want)
			}
		})
	}
}
