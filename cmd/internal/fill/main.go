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
	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/persistence"
)

// perRound is how many profiles are applied at a time.
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
	f, err := newFiller(store)
	if err != nil {
		return err
	}
	for from := 0; from < profiles; from += perRound {
		for n := from; n < min(from+perRound, profiles); n++ {
			if err := f.add(realm, n, devices); err != nil {
				return err
			}
		}
		if err := f.apply(); err != nil {
			return err
		}
	}
	return f.end()
}

// filler makes what is applied without entries: each shard's log begins behind
// it.
type filler struct {
	log   *persistence.Log
	slots *cluster.Slots
	at    map[persistence.ShardID]persistence.Position
	round map[persistence.ShardID][]persistence.Commit
}

func newFiller(store *persistence.Store) (*filler, error) {
	f := &filler{log: store.Log(), slots: cluster.DivideSlots(store.Identity().Shards), at: map[persistence.ShardID]persistence.Position{}}
	if err := replica.Found(f.log, persistence.NodeID(store.Identity().NodeID), store.Identity().Shards); err != nil {
		return nil, err
	}
	replicas, err := f.log.Replicas()
	for _, r := range replicas {
		f.at[r.Shard] = r.Applied.Position
	}
	f.round = make(map[persistence.ShardID][]persistence.Commit)
	return f, err
}

// add founds the n-th profile.
func (f *filler) add(realm string, n, devices int) error {
	address := profile.ID{Realm: realm, Namespace: profile.NamespaceSSO, Subject: fmt.Sprintf("viewer-%d", n)}.Address()
	state, err := proto.Marshal(stateOf(n, devices, time.Now().UnixMilli()))
	if err != nil {
		return err
	}
	shard := address.Shard(f.slots)
	f.round[shard] = append(f.round[shard], persistence.Commit{Entity: address.Entity(), Schema: schema, State: state})
	return nil
}

// apply applies what was added, as the next entry of each shard.
func (f *filler) apply() error {
	now := uint64(time.Now().UnixMilli())
	var changes []persistence.Change
	for shard, commits := range f.round {
		at := f.at[shard]
		at.Index++
		f.at[shard] = at
		changes = append(changes, persistence.Change{Shard: shard, Position: at, Time: now, Commits: commits})
	}
	clear(f.round)
	select {
	case <-f.log.FlushDue():
		if err := f.log.Flush(); err != nil {
			return err
		}
	default:
	}
	rejected, err := f.log.Apply(changes)
	for _, errs := range rejected {
		err = errors.Join(err, errors.Join(errs...))
	}
	return err
}

// end makes everything durable.
func (f *filler) end() error {
	if err := f.log.Flush(); err != nil {
		return err
	}
	var writes []persistence.LogWrite
	for shard, at := range f.at {
		writes = append(writes, persistence.LogWrite{Shard: shard, Truncate: at})
	}
	return f.log.Append(writes, true)
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
