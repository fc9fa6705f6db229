package main

import (
	"testing"

	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/persistence"
)

func TestFilledProfilesAreFoundWhereTheyBelong(t *testing.T) {
	data := t.TempDir() + "/data"
	if err := fill(data, "realm", perRound+10, 3); err != nil {
		t.Fatal(err)
	}
	store, err := persistence.Open(persistence.Options{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, subject := range []string{"viewer-0", "viewer-2009"} {
		address := profile.ID{Realm: "realm", Namespace: profile.NamespaceSSO, Subject: subject}.Address()
		head, found, err := store.Head(address.Shard(cluster.DivideSlots(store.Identity().Shards)), address.Entity())
		if err != nil || !found || head.Schema != schema || len(head.State) < 100 {
			t.Errorf("%s: found %v, schema %d, %d bytes, %v", subject, found, head.Schema, len(head.State), err)
		}
	}
}
