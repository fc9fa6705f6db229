package placement

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/persistence"
)

// slotsTable is the division of the hash slots, a record per shard. It is written once,
// when the cluster is founded.
const slotsTable = "slots"

// Divide returns the division of the hash slots, on the leader of the meta shard, which
// founds it if there is none.
func Divide(ctx context.Context, tables *meta.Store, shards int) (*cluster.Slots, error) {
	if tables.Read(slotsTable).Revision() == 0 {
		err := tables.Update(ctx, slotsTable, 0, encodeSlots(cluster.DivideSlots(shards)), nil)
		if err != nil && !errors.Is(err, meta.ErrChanged) {
			return nil, fmt.Errorf("divide hash slots: %w", err)
		}
	}
	return readSlots(tables, shards)
}

// readSlots returns the division in the tables, nil if there is none yet.
func readSlots(tables *meta.Store, shards int) (*cluster.Slots, error) {
	table := tables.Read(slotsTable)
	if table.Revision() == 0 {
		return nil, nil
	}
	var ranges []cluster.SlotRange
	for key, value := range table.All() {
		some, err := decodeSlots(key, value)
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, some...)
	}
	return cluster.NewSlots(ranges, shards)
}

func encodeSlots(s *cluster.Slots) map[string][]byte {
	records := map[cluster.ShardID]*SlotsRecord{}
	for _, r := range s.Ranges() {
		if records[r.Shard] == nil {
			records[r.Shard] = &SlotsRecord{}
		}
		records[r.Shard].Ranges = append(records[r.Shard].Ranges, &SlotRange{First: uint32(r.First), Last: uint32(r.Last)})
	}
	puts := map[string][]byte{}
	for shard, r := range records {
		puts[shardKey(int(shard))] = encode(r)
	}
	return puts
}

func decodeSlots(key string, value []byte) (ranges []cluster.SlotRange, err error) {
	r := &SlotsRecord{}
	shard, err := strconv.ParseUint(key, 10, 16)
	if err == nil {
		err = proto.Unmarshal(value, r)
	}
	if err != nil {
		return nil, fmt.Errorf("hash slots of shard %s: %w", key, err)
	}
	for _, s := range r.GetRanges() {
		if s.GetFirst() >= persistence.Slots || s.GetLast() >= persistence.Slots {
			return nil, fmt.Errorf("hash slots of shard %s: %w: %d to %d", key, cluster.ErrSlots, s.GetFirst(), s.GetLast())
		}
		ranges = append(ranges, cluster.SlotRange{First: cluster.Slot(s.GetFirst()), Last: cluster.Slot(s.GetLast()), Shard: cluster.ShardID(shard)})
	}
	return ranges, nil
}
