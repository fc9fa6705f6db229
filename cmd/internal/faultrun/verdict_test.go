package faultrun

import (
	"slices"
	"testing"
)

// ids are those of a viewer's devices.
func ids(viewer string, names ...string) []string {
	for i, name := range names {
		names[i] = newDevice(viewer + "/" + name).id
	}
	return names
}

// TestTheCheckersFindFaults shows them what must not happen.
func TestTheCheckersFindFaults(t *testing.T) {
	l := life{viewer: "v", state: map[string]state{}}
	for name, s := range map[string]state{"host": in, "guest": out, "other": unsure} {
		l.state[ids("v", name)[0]] = s
	}
	shown := func(devices ...string) func(*Verdict) {
		return func(v *Verdict) { l.compare(v, LostAck, slices.Values(devices)) }
	}
	reported := func(second string) func(*Verdict) {
		return func(v *Verdict) {
			o := &owners{verdict: v, leaders: map[reign]string{}}
			for _, leader := range []string{"n1", "", second} {
				o.note(&Node{Name: "n3"}, ledBy(leader))
			}
		}
	}
	said := func(text string) func(*Verdict) {
		return func(v *Verdict) {
			s := newSecrets()
			s.mark("head.claims.SIGNATURE-of_it", "CODE123456", "")
			s.search(v, "a log", text)
		}
	}
	for name, tt := range map[string]struct {
		check func(*Verdict)
		want  []Fault
	}{
		"a right list":            {shown(ids("v", "host")...), nil},
		"with an unsure device":   {shown(ids("v", "host", "other")...), nil},
		"a member is missing":     {shown(), []Fault{LostAck}},
		"an unlinked device":      {shown(ids("v", "host", "guest")...), []Fault{Resurrected}},
		"somebody else's device":  {shown(ids("v", "host")[0], ids("w", "host")[0]), []Fault{CrossTenant}},
		"one leader in a term":    {reported("n1"), nil},
		"two leaders in a term":   {reported("n2"), []Fault{DoubleOwner}},
		"a log without secrets":   {said(`{"code":"token_invalid","of":"head.claims"}`), nil},
		"a signature in a log":    {said(`{"msg":"x.SIGNATURE-of_it"}`), []Fault{SecretLeak}},
		"a code in a log, twice":  {said("CODE123456 'CODE123456'"), []Fault{SecretLeak, SecretLeak}},
		"a code in a longer word": {said("CODE1234567"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var v Verdict
			tt.check(&v)
			var got []Fault
			for f, n := range v.counts {
				got = append(got, slices.Repeat([]Fault{Fault(f)}, n)...)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v %q, want %v", got, v.notes, tt.want)
			}
		})
	}
}

// ledBy is what a node says of a shard.
func ledBy(leader string) *view {
	return &view{Shards: []shardView{{Shard: 1, Leader: leader, Term: 7}}}
}

func TestAVerdictIsOneLine(t *testing.T) {
	var v Verdict
	v.Found(LostAck, "%s", "a fact")
	const want = "double_owner_served=0 lost_acks=1 resurrected_devices=0 double_redeem=0 cross_tenant=0 secret_leaks=0"
	if got := v.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
