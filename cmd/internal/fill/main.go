// Command fill makes a data directory with very many profiles, for measuring
// how long a node takes to start on it. It writes through package persistence,
// past the API, which would take an hour for a million:
//
//	go run ./cmd/internal/fill --data /tmp/million/data --profiles 1000000
//	bin/ssobench start /tmp/million
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/profile"
	"ssod/persistence"
)

// perRound is how many profiles are written with one fsync.
const perRound = 2000

// schema is the format of the profile's head record that state writes.
const schema = 1

func main() {
	data := flag.String("data", "", "data directory of a node, created if it is missing")
	realm := flag.String("realm", "bench-1", "realm of the profiles")
	profiles := flag.Int("profiles", 1_000_000, "how many")
	devices := flag.Int("devices", 3, "devices of each")
	flag.Parse()
	began := time.Now()
	if err := fill(*data, *realm, *profiles, *devices); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
	fmt.Printf("%d profiles with %d devices each in %v\n", *profiles, *devices, time.Since(began).Round(time.Millisecond))
}

func fill(data, realm string, profiles, devices int) (err error) {
	if data == "" {
		return errors.New("--data is missing")
	}
	store, err := persistence.Open(persistence.Options{Dir: data, DefaultNode: "bench"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	shards := store.Identity().Shards
	for from := 0; from < profiles; from += perRound {
		commits := make([]persistence.ShardCommit, min(perRound, profiles-from))
		for i := range commits {
			if commits[i], err = newProfile(realm, from+i, devices, shards); err != nil {
				return err
			}
		}
		if err := errors.Join(store.Apply(commits, time.Now())...); err != nil {
			return err
		}
	}
	return nil
}

// newProfile is the commit that founds the n-th profile.
func newProfile(realm string, n, devices, shards int) (persistence.ShardCommit, error) {
	address := profile.ID{Realm: realm, Namespace: profile.NamespaceSSO, Subject: fmt.Sprintf("viewer-%d", n)}.Address()
	state, err := proto.Marshal(stateOf(n, devices, time.Now().UnixMilli()))
	if err != nil {
		return persistence.ShardCommit{}, err
	}
	return persistence.ShardCommit{Shard: address.Shard(shards), Commit: &persistence.Commit{
		Entity: address.Entity(), Schema: schema, State: state,
	}}, nil
}

func stateOf(n, devices int, now int64) *profile.State {
	attributes, err := proto.Marshal(&profile.Attributes{
		DeviceType: "smartTV", Model: "QX-55", Os: "Linux", OsVersion: "5.0", Platform: "Tizen", Manufacturer: "Acme",
	})
	if err != nil {
		panic(err) // a message of constants
	}
	s := &profile.State{LastMembership: now + int64(devices) - 1}
	for i := range devices {
		kind := profile.MemberType_SSO
		if i == 0 {
			kind = profile.MemberType_REGULAR
		}
		s.Members = append(s.Members, &profile.Member{
			Device: fmt.Appendf(nil, "device-%d-%d-4f94-b1eb-7f3a", n, i), Membership: now + int64(i),
			Type: kind, LastSeenMs: now, Attributes: attributes,
		})
	}
	return s
}
