package actors

import "testing"

// TestStagesGoForward: whatever is done to a turn, in whatever order, it does not
// stay open twice, is not held before, and does not come back from its end.
func TestStagesGoForward(t *testing.T) {
	steps := map[string]func(*state) bool{
		"leave": (*state).leave,
		"hold":  func(s *state) bool { s.hold(); return false },
		"end":   (*state).end,
	}
	for _, tt := range []struct {
		from stage
		step string
		to   stage
		says bool
	}{
		{running, "leave", waiting, true},
		{waiting, "leave", waiting, false},
		{held, "leave", held, false},
		{ended, "leave", ended, false},
		{running, "hold", running, false},
		{waiting, "hold", held, false},
		{held, "hold", held, false},
		{ended, "hold", ended, false},
		{running, "end", ended, false},
		{waiting, "end", ended, true},
		{held, "end", ended, true},
		{ended, "end", ended, false},
	} {
		s := state{stage: tt.from}
		if says := steps[tt.step](&s); says != tt.says || s.stage != tt.to {
			t.Errorf("%s at %d: got %d, %v, want %d, %v", tt.step, tt.from, s.stage, says, tt.to, tt.says)
		}
	}
}

// TestAFenceIsTakenOnce: what has passed or is broken stays so.
func TestAFenceIsTakenOnce(t *testing.T) {
	steps := map[string]func(*state){
		"want":   (*state).want,
		"passes": func(s *state) { s.settle(true) },
		"fails":  func(s *state) { s.settle(false) },
	}
	for _, tt := range []struct {
		from fence
		step string
		to   fence
	}{
		{unfenced, "want", wanted},
		{wanted, "want", wanted},
		{passed, "want", passed},
		{broken, "want", broken},
		{unfenced, "passes", passed}, // of a kind that is fenced, or for free
		{wanted, "passes", passed},
		{passed, "passes", passed},
		{broken, "passes", broken},
		{unfenced, "fails", broken},
		{wanted, "fails", broken},
		{passed, "fails", passed},
		{broken, "fails", broken},
	} {
		s := state{fence: tt.from}
		if steps[tt.step](&s); s.fence != tt.to {
			t.Errorf("%s at %d: got %d, want %d", tt.step, tt.from, s.fence, tt.to)
		}
	}
}

// TestDoubtIsNeverLost: a turn's successor knows of every delivery before it, has
// its fence, and is itself neither open nor over.
func TestDoubtIsNeverLost(t *testing.T) {
	for _, from := range []stage{running, waiting, held, ended} {
		for _, f := range []fence{unfenced, wanted, passed} {
			for _, tt := range []struct {
				past   past
				effect bool
				want   past
			}{
				{first, false, redelivered},
				{first, true, doubtful},
				{redelivered, false, redelivered},
				{redelivered, true, doubtful},
				{repeated, false, repeated},
				{repeated, true, doubtful},
				{doubtful, false, doubtful},
				{doubtful, true, doubtful},
			} {
				got := state{stage: from, fence: f, past: tt.past}.again(tt.effect)
				if want := (state{fence: f, past: tt.want}); got != want {
					t.Errorf("again(%v) of %+v: got %+v, want %+v", tt.effect, state{from, f, tt.past}, got, want)
				}
			}
		}
	}
	if arrived(false).past != first || arrived(true).past != repeated {
		t.Error("a command that may be a repeat is not looked up")
	}
}
