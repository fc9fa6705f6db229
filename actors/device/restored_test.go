package device

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// A device keeps its logins, and who is erased is not named any more.
func TestRestored(t *testing.T) {
	gone, kept := &intent.Place{Kind: "profile", Identity: [][]byte{[]byte("gone")}}, &intent.Place{Kind: "profile", Identity: [][]byte{[]byte("kept")}}
	s := &State{
		Logins:  []*Regular{{Login: &login.Login{Id: []byte("id")}, Shared: []*login.Sharing{{Profile: gone}, {Profile: kept}}}},
		Open:    []*intent.Intent{{To: gone}, {To: kept}},
		Session: &intent.Place{Kind: "session"},
	}
	encoded, err := proto.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Restored(cluster.Head{Schema: 1, State: encoded}, &actors.Restore{Erased: func(a actors.Address) bool {
		return len(a.Identity) > 0 && a.Identity[0] == "gone"
	}})
	got := &State{}
	if err == nil {
		err = proto.Unmarshal(h.State, got)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := &State{
		Logins:  []*Regular{{Login: &login.Login{Id: []byte("id")}, Shared: []*login.Sharing{{Profile: kept}}}},
		Open:    []*intent.Intent{{To: kept}},
		Session: &intent.Place{Kind: "session"},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := Restored(cluster.Head{Schema: 2}, &actors.Restore{}); err == nil {
		t.Error("a later schema is restored")
	}
}
