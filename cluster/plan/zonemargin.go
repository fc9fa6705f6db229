package plan

import "slices"

// ZoneOutlook is what is known of replicas and zones.
type ZoneOutlook struct {
	// Live reports whether a replica of a shard is live.
	Live func(shard int, r ReplicaID) bool
	// Zone is the zone of a node.
	Zone func(NodeID) string
}

// StopsWithout counts the groups, including unknown ones, that have no live majority without
// a zone, in some set of voters that may be in force.
func StopsWithout(groups []Config, zone string, o ZoneOutlook) (stop int) {
	for shard, c := range groups {
		if !c.Majority(func(r ReplicaID) bool { return o.Zone(r.Node()) != zone && o.Live(shard, r) }) {
			stop++
		}
	}
	return stop
}

// SpareZones is how many zones may be lost, whichever they are, before some group has no
// majority; below 0 one has none now. Unknown groups have none to spare.
func SpareZones(groups []Config, o ZoneOutlook) int {
	spare := -1
	for shard, c := range groups {
		one := 0
		if c.Known() {
			one = c.spareZones(func(r ReplicaID) bool { return o.Live(shard, r) }, o.Zone)
		}
		if shard == 0 || one < spare {
			spare = one
		}
	}
	return spare
}

// spareZones is how many zones a group may lose. The worst case are those with the most
// voters of a set.
func (c Config) spareZones(live func(ReplicaID) bool, zone func(NodeID) string) int {
	spare := len(c.Voters)
	for _, set := range c.sets() {
		in := map[string]int{}
		for _, r := range set {
			if live(r) {
				in[zone(r.Node())]++
			}
		}
		var sizes []int
		left := 0
		for _, n := range in {
			sizes = append(sizes, n)
			left += n
		}
		slices.Sort(sizes)
		lost := 0
		for left >= majority(set) {
			left -= sizes[len(sizes)-1-lost]
			lost++
		}
		spare = min(spare, lost-1)
	}
	return spare
}
