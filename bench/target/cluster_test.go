package target

import (
	"encoding/json"
	"testing"
)

func TestAClusterIsSettledWhenNothingIsLeftToMove(t *testing.T) {
	const (
		n1   = `{"Leader":"n1","Replicas":["n1","n2","n3"]}`
		n2   = `{"Leader":"n2","Replicas":["n1","n2","n3"]}`
		n3   = `{"Leader":"n3","Replicas":["n1","n2","n3"]}`
		solo = `{"Leader":"n1","Replicas":["n1"],"Learners":["n2"]}`
		few  = `{"Leader":"n3","Replicas":["n1","n3"]}`
		none = `{"Leader":"","Replicas":["n1","n2","n3"]}`
	)
	for _, tt := range []struct {
		shards         string
		nodes, leaders int
		want           bool
	}{
		{n1 + "," + n2 + "," + n3, 3, 3, true},
		{n1 + "," + n2 + "," + n3 + "," + n3, 3, 3, true},
		{n1 + "," + n2 + "," + n3 + "," + n3 + "," + n3, 3, 3, false},
		{n1 + "," + n2 + "," + n2, 3, 3, false},
		{n1 + "," + n2 + "," + few, 3, 3, false},
		{n1 + "," + n2 + "," + n3 + "," + none, 3, 3, false},
		{solo + "," + solo, 2, 1, true},
		{solo, 3, 1, false},
		{n1 + "," + n2 + "," + n3, 5, 3, true},
		{n1 + "," + n2 + "," + n3 + "," + n3 + "," + n3, 5, 3, true},
		{n1 + "," + n2 + "," + n3 + "," + n3 + "," + n3 + "," + n3, 5, 3, false},
	} {
		var v view
		if err := json.Unmarshal([]byte(`{"shards":[`+tt.shards+`]}`), &v); err != nil {
			t.Fatal(err)
		}
		if got := v.settled(tt.nodes, tt.leaders); got != tt.want {
			t.Errorf("%d nodes, %d leaders, %s: got %v, want %v", tt.nodes, tt.leaders, tt.shards, got, tt.want)
		}
	}
}
