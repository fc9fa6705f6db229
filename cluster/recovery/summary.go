package recovery

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ssod/persistence"
)

// Names are the names of the survivors.
func (p *Plan) Names() (names []string) {
	for _, n := range p.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// Summary describes for operators what the plan keeps and what it may lose.
func (p *Plan) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster %s goes on as %s with %s; removed: %s\n", p.Cluster, p.Recovered, strings.Join(p.Names(), ", "), orNone(namesOf(p.Lost)))
	if len(p.Older) > 0 {
		fmt.Fprintf(&b, "an old copy, not what the node wrote last: the directory of %s\n", orNone(namesOf(p.Older)))
	}
	by := map[Verdict][]Shard{}
	for _, s := range p.Shards {
		by[s.Verdict] = append(by[s.Verdict], s)
	}
	fmt.Fprintf(&b, "%d of %d shards are whole: everything that was acknowledged is there\n", len(by[Whole]), len(p.Shards))
	b.WriteString(lacking(by[MayLack]))
	if gone := by[Gone]; len(gone) > 0 {
		fmt.Fprintf(&b, "%d begin EMPTY, nothing is left of them: %s\n", len(gone), numbers(gone))
	}
	if p.Shards[0].Verdict == MayLack {
		b.WriteString("shard 0 is one of those: revocations, changes of keys and of nodes of the last moments may be missing;\n" +
			"  after the start revoke again what was revoked lately, and rotate keys (ssoctl keys rotate) if one was given away\n")
	}
	return b.String()
}

// lacking describes what shards may lack, and the times of their last changes.
func lacking(shards []Shard) string {
	if len(shards) == 0 {
		return ""
	}
	said := fmt.Sprintf("%d may lack the newest changes, those that only lost nodes had: %s\n", len(shards), numbers(shards))
	shards = slices.DeleteFunc(slices.Clone(shards), func(s Shard) bool { return s.Newest.IsZero() })
	if len(shards) == 0 {
		return said
	}
	byTime := func(a, b Shard) int { return a.Newest.Compare(b.Newest) }
	oldest, newest := slices.MinFunc(shards, byTime), slices.MaxFunc(shards, byTime)
	return said + fmt.Sprintf("  their last changes that are left are of %s (shard %d) to %s (shard %d)\n",
		oldest.Newest.Format(time.RFC3339), oldest.Shard, newest.Newest.Format(time.RFC3339), newest.Shard)
}

func namesOf(members []Member) (names []string) {
	for _, m := range members {
		names = append(names, m.String())
	}
	return names
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// numbers lists the numbers of shards, runs of them as their ends.
func numbers(shards []Shard) string {
	var b strings.Builder
	var from, to persistence.ShardID
	flush := func() {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		if from == to {
			fmt.Fprint(&b, from)
		} else {
			fmt.Fprintf(&b, "%d-%d", from, to)
		}
	}
	for i, s := range shards {
		switch {
		case i == 0:
			from = s.Shard
		case s.Shard != to+1:
			flush()
			from = s.Shard
		}
		to = s.Shard
	}
	flush()
	return b.String()
}
