package degradation

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
)

// tableName is the meta table of the rules.
const tableName = "degradation"

// Beginnings of the keys of its records.
const (
	rulePrefix   = "r "
	noticePrefix = "n "
)

// table is one version of the meta table. It never changes.
type table struct {
	revision uint64
	rules    map[Pair]*Rule
	notices  []pending // the oldest first
}

// pending is a notice that nobody was told yet.
type pending struct {
	key string
	Notice
}

// readTable reads the table. After an error it has the revision of what cannot be read.
func readTable(from Tables) (*table, error) {
	records, revision := from.Records(tableName)
	t := &table{revision: revision, rules: map[Pair]*Rule{}}
	for key, value := range records {
		if err := t.add(key, value); err != nil {
			return t, fmt.Errorf("a record of the rules of degradation: %w", err)
		}
	}
	return t, nil
}

// add decodes a record. One of another form is a newer version's.
func (t *table) add(key string, value []byte) error {
	if pair, ok := strings.CutPrefix(key, rulePrefix); ok {
		r := &Record{}
		if err := proto.Unmarshal(value, r); err != nil {
			return err
		}
		provider, mvpd, _ := strings.Cut(pair, " ")
		rule := r.decode(Pair{provider, mvpd})
		t.rules[rule.Pair] = &rule
	} else if strings.HasPrefix(key, noticePrefix) {
		n := &NoticeRecord{}
		if err := proto.Unmarshal(value, n); err != nil {
			return err
		}
		t.notices = append(t.notices, pending{key, n.decode()})
	}
	return nil
}

func (t *table) sorted() []*Rule {
	return slices.SortedFunc(maps.Values(t.rules), func(a, b *Rule) int {
		return cmp.Or(cmp.Compare(a.ServiceProvider, b.ServiceProvider), cmp.Compare(a.MVPD, b.MVPD))
	})
}

// change are the records that a decision writes and deletes. None is in both: it would be
// deleted.
type change struct {
	puts    map[string][]byte
	deletes []string
	err     error // of encoding
}

func (c *change) empty() bool { return len(c.puts) == 0 && len(c.deletes) == 0 && c.err == nil }

func (c *change) put(key string, m proto.Message) {
	value, err := proto.Marshal(m)
	if err != nil {
		c.err = err
	}
	c.puts[key] = value
	c.deletes = slices.DeleteFunc(c.deletes, func(deleted string) bool { return deleted == key })
}

func ruleKey(p Pair) string { return rulePrefix + p.ServiceProvider + " " + p.MVPD }

// set writes a rule.
func (c *change) set(r *Rule) {
	c.put(ruleKey(r.Pair), r.encode())
	c.notice(&Notice{Rule: *r, At: r.Set, By: r.By})
}

// end deletes a rule. Whoever comes too late has not ended it.
func (c *change) end(r *Rule, at time.Time, why Reason, by string) {
	if !r.counts(at) {
		why, by = Over, ""
	}
	c.deletes = append(c.deletes, ruleKey(r.Pair))
	c.notice(&Notice{Rule: *r, At: at, Ended: why, By: by})
}

// notice writes a notice. What ended at a moment comes before what was set then.
func (c *change) notice(n *Notice) {
	set := 0
	if n.Ended == "" {
		set = 1
	}
	c.put(fmt.Sprintf("%s%015d %d %s", noticePrefix, n.At.UnixMilli(), set, n.Rule.ID), n.encode())
}

func (r *Rule) encode() *Record {
	return &Record{Id: r.ID, Rule: r.Rule, SetMs: r.Set.UnixMilli(), UntilMs: r.Until.UnixMilli(), By: r.By}
}

func (r *Record) decode(p Pair) Rule {
	return Rule{Pair: p, ID: r.GetId(), Rule: r.GetRule(), Set: time.UnixMilli(r.GetSetMs()).UTC(), Until: time.UnixMilli(r.GetUntilMs()).UTC(), By: r.GetBy()}
}

func (n *Notice) encode() *NoticeRecord {
	return &NoticeRecord{
		ServiceProvider: n.Rule.ServiceProvider, Mvpd: n.Rule.MVPD, Rule: n.Rule.encode(),
		AtMs: n.At.UnixMilli(), Ended: string(n.Ended), By: n.By,
	}
}

func (n *NoticeRecord) decode() Notice {
	rule := n.GetRule().decode(Pair{n.GetServiceProvider(), n.GetMvpd()})
	return Notice{Rule: rule, At: time.UnixMilli(n.GetAtMs()).UTC(), Ended: Reason(n.GetEnded()), By: n.GetBy()}
}

// newID draws a UUID, RFC 9562.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails since Go 1.24
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
