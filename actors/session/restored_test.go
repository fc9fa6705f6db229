package session

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// A session is gone, unless it has a login to hand over.
func TestRestored(t *testing.T) {
	to := &intent.Place{Kind: "device", Identity: [][]byte{[]byte("d")}}
	for name, tt := range map[string]struct {
		state  *State
		erased bool
		stays  bool
	}{
		"open":                              {&State{Stage: Stage_OPEN}, false, false},
		"finished":                          {&State{Stage: Stage_FINISHED}, false, false},
		"finished, its login is on the way": {&State{Stage: Stage_FINISHED, Open: []*intent.Intent{{To: to}}}, false, true},
		"its login is on the way to who is erased": {&State{Stage: Stage_FINISHED, Open: []*intent.Intent{{To: to}}}, true, false},
	} {
		encoded, err := proto.Marshal(tt.state)
		if err != nil {
			t.Fatal(err)
		}
		h := cluster.Head{Schema: 1, State: encoded}
		got, stays, err := Restored(h, &actors.Restore{Erased: func(actors.Address) bool { return tt.erased }})
		if err != nil || stays != tt.stays || stays && string(got.State) != string(encoded) {
			t.Errorf("%s: stays %v, %v", name, stays, err)
		}
	}
	if _, _, err := Restored(cluster.Head{Schema: 2}, &actors.Restore{}); err == nil {
		t.Error("a later schema is restored")
	}
}
