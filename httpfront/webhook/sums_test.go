package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ssod/actors/event"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/httpfront/config"
)

// sumsAt is when the windows of tests end.
var sumsAt = time.UnixMilli(1_700_000_060_000)

func deniedFact(denials ...event.Denial) event.Fact {
	return event.Fact{Type: event.DecisionDenied, Realm: "one", Since: sumsAt.Add(-sumWindow), Until: sumsAt, Denials: denials}
}

// TestDenialsAreToldToThoseTheyConcern: a TV provider gets its own, a receiver of some
// service providers theirs, and nobody gets more.
func TestDenialsAreToldToThoseTheyConcern(t *testing.T) {
	f := deniedFact(
		event.Denial{ServiceProvider: "tv", MVPD: "cable", Call: "authorize", Code: "authorization_denied_by_mvpd", Count: 7},
		event.Denial{ServiceProvider: "radio", MVPD: "cable", Call: "preauthorize", Code: "preauthorization_denied_by_mvpd", Count: 4},
		event.Denial{ServiceProvider: "tv", MVPD: "dish", Call: "authorize", Code: "authenticated_profile_missing", Count: 2},
	)
	const (
		head  = `{"type":"decision.denied","timestamp":"2023-11-14T22:14:20.000Z","data":{`
		when  = `"until":"2023-11-14T22:14:20.000Z","count":%d,"since":"2023-11-14T22:13:20.000Z",`
		tv    = `{"serviceProvider":"tv","mvpd":"cable","call":"authorize","code":"authorization_denied_by_mvpd","count":7}`
		radio = `{"serviceProvider":"radio","mvpd":"cable","call":"preauthorize","code":"preauthorization_denied_by_mvpd","count":4}`
		dish  = `{"serviceProvider":"tv","mvpd":"dish","call":"authorize","code":"authenticated_profile_missing","count":2}`
	)
	for _, tt := range []struct {
		name string
		hook config.Webhook
		want string
	}{
		{"the brand", config.Webhook{}, head + `"realm":"one",` + fmt.Sprintf(when, 13) + `"denials":[` + tv + "," + radio + "," + dish + `],"others":0}}`},
		{"one service provider", config.Webhook{ServiceProviders: []string{"radio"}}, head + `"realm":"one",` + fmt.Sprintf(when, 4) + `"denials":[` + radio + `],"others":0}}`},
		{"a TV provider", config.Webhook{MVPD: "cable"}, head + `"mvpd":"cable",` + fmt.Sprintf(when, 11) + `"denials":[` + tv + "," + radio + `],"others":0}}`},
		{"a TV provider of one", config.Webhook{MVPD: "dish", ServiceProviders: []string{"tv"}}, head + `"mvpd":"dish",` + fmt.Sprintf(when, 2) + `"denials":[` + dish + `],"others":0}}`},
		{"a TV provider of another", config.Webhook{MVPD: "dish", ServiceProviders: []string{"radio"}}, ""},
		{"a stranger", config.Webhook{MVPD: "sat"}, ""},
	} {
		got := bodies(&tt.hook, f, sumsAt, nil)
		if tt.want == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || string(got[0]) != tt.want {
			t.Errorf("%s is told %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestAnEventHasTheMostFrequentDenials: what has no room is counted.
func TestAnEventHasTheMostFrequentDenials(t *testing.T) {
	for _, length := range []int{8, 64} {
		var all []event.Denial
		count := 0
		for i := range 100 {
			id := fmt.Sprintf("%0*d", length, i)
			all = append(all, event.Denial{ServiceProvider: id, MVPD: id, Call: "preauthorize", Code: "preauthorization_denied_by_mvpd", Count: 1000 - i})
			count += 1000 - i
		}
		got := bodies(&config.Webhook{}, deniedFact(all...), sumsAt, nil)
		if len(got) != 1 || len(got[0]) > MaxBody {
			t.Fatalf("%d events, the first of %d bytes", len(got), len(got[0]))
		}
		var seen struct {
			Data struct {
				Count, Others int
				Denials       []denial
			}
		}
		if err := json.Unmarshal(got[0], &seen); err != nil {
			t.Fatal(err)
		}
		told := seen.Data.Others
		for i, d := range seen.Data.Denials {
			if told += d.Count; d != denial(all[i]) {
				t.Errorf("place %d has %+v", i, d)
			}
		}
		if seen.Data.Count != count || told != count || len(seen.Data.Denials) < 4 || len(seen.Data.Denials) > maxDenials {
			t.Errorf("ids of %d: %d of %d are told, in %d denials", length, told, count, len(seen.Data.Denials))
		}
	}
}

// TestAttacksAreNoMatterOfTVProviders, nor of one service provider: codes are the realm's.
func TestAttacksAreNoMatterOfTVProviders(t *testing.T) {
	f := event.Fact{
		Type: event.LinkCodeAttack, Realm: "one", Since: sumsAt.Add(-sumWindow), Until: sumsAt,
		Attack: event.Attack{Own: 3, Other: 690, Refused: 12, Closed: []int{6, 7}, Meter: 0.69123},
	}
	want := `{"type":"linkcode.attack","timestamp":"2023-11-14T22:14:20.000Z","data":{"realm":"one","until":"2023-11-14T22:14:20.000Z","since":"2023-11-14T22:13:20.000Z",` +
		`"failures":{"own":3,"other":690},"refused":12,"closed":[6,7],"meter":0.691}}`
	for _, w := range []config.Webhook{{}, {ServiceProviders: []string{"radio"}}} {
		if got := bodies(&w, f, sumsAt, nil); !wanted(&w, f) || len(got) != 1 || string(got[0]) != want {
			t.Errorf("the brand is told %s\nwant %s", got, want)
		}
	}
	f.Attack.Closed = nil
	if got := bodies(&config.Webhook{}, f, sumsAt, nil); !strings.Contains(string(got[0]), `"closed":[]`) {
		t.Errorf("while nothing is closed: %s", got)
	}
	if got := bodies(&config.Webhook{MVPD: "cable"}, f, sumsAt, nil); len(got) > 0 {
		t.Errorf("a TV provider is told %s", got)
	}
}

// minutes are sums of a node whose time passes as the test says.
type minutes struct {
	*testing.T
	*Sums
	truth   *faulty.Truth
	node    *faulty.Node
	level   int
	attacks []event.Fact
	mu      sync.Mutex // guards commits
	commits int
}

// inMinutes plays a test in a bubble of time.
func inMinutes(t *testing.T, faults faulty.Plan, play func(m *minutes)) {
	t.Helper()
	cfg, err := config.Parse([]byte(`realms: [{id: one, serviceProviders: [tv], mvpds: [{id: cable, kind: sandbox}], webhooks: [{url: "https://hooks.example/", secretFile: s}]}]`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		m := &minutes{T: t, level: event.Level}
		m.truth = faulty.New(faulty.Options{Shards: 2, Commits: func(o faulty.Op) faulty.Fault {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.commits++
			if faults == nil {
				return faulty.None
			}
			return faults(o)
		}})
		m.node = m.truth.Node("a")
		m.Sums = StartSums(SumOptions{
			Outbox: &Outbox{Settings: func() *config.Config { return cfg }, Cluster: "c", Key: func(string) []byte { return nil }},
			Shards: m.node, Level: func() int { return m.level }, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Attacks: func() []event.Fact { all := m.attacks; m.attacks = nil; return all },
		})
		defer m.Close()
		play(m)
	})
}

func (m *minutes) deny(code string, count int) {
	m.Denied("one", []event.Denial{{ServiceProvider: "tv", MVPD: "cable", Call: "authorize", Code: code, Count: count}})
}

// told are the events that wait in the first shard, by type: what they count and how long
// their windows were.
func (m *minutes) told() (all []string) {
	m.Helper()
	h, _ := m.node.Lead(1)
	if h == nil {
		return nil
	}
	receivers, err := h.Receivers(cluster.EventQueue)
	if err != nil {
		m.Fatal(err)
	}
	for _, r := range receivers {
		err = h.Events(cluster.EventQueue, r, 0, func(_ cluster.EventKey, raw []byte) bool {
			var b struct {
				Type string
				Data struct {
					Count        int
					Since, Until time.Time
				}
			}
			l, err := parseLetter(raw)
			if err == nil {
				err = json.Unmarshal(l.JSON, &b)
			}
			if err != nil {
				m.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%s %d %v", b.Type, b.Data.Count, b.Data.Until.Sub(b.Data.Since)))
			return true
		})
		if err != nil {
			m.Fatal(err)
		}
	}
	return all
}

// wait lets time pass.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (m *minutes) want(when string, want ...string) {
	m.Helper()
	if got := m.told(); fmt.Sprint(got) != fmt.Sprint(want) {
		m.Errorf("%s: told %q, want %q", when, got, want)
	}
}

// TestAWindowIsOneCommit, however many decisions are in it, and an empty one is none.
func TestAWindowIsOneCommit(t *testing.T) {
	inMinutes(t, nil, func(m *minutes) {
		for range 1000 {
			m.deny("authorization_denied_by_mvpd", 2)
			m.deny("too_many_resources", 1)
		}
		m.attacks = []event.Fact{{Type: event.LinkCodeAttack, Realm: "one"}}
		wait(sumWindow - time.Second)
		m.want("before the minute is over")
		wait(time.Second)
		m.want("after a minute", "linkcode.attack 0 1m0s", "decision.denied 3000 1m0s")
		wait(sumWindow)
		m.deny("too_many_resources", 5)
		wait(sumWindow)
		m.want("two minutes later", "linkcode.attack 0 1m0s", "decision.denied 3000 1m0s", "decision.denied 5 1m0s")
		if m.commits != 2 {
			t.Errorf("%d commits, want one for each window with events", m.commits)
		}
	})
}

// TestWithoutALeadWindowsAreLonger: what cannot be told is kept.
func TestWithoutALeadWindowsAreLonger(t *testing.T) {
	inMinutes(t, nil, func(m *minutes) {
		other := m.truth.Node("b")
		m.truth.Move(1, other)
		m.truth.Move(2, other)
		m.deny("too_many_resources", 1)
		wait(sumWindow)
		m.truth.Move(1, m.node)
		m.want("while it leads nothing")
		m.deny("too_many_resources", 1)
		wait(sumWindow)
		m.want("when it leads", "decision.denied 2 2m0s")
	})
}

// TestSumsAreBestEffort: a window whose commit fails is not told, and the next one is.
func TestSumsAreBestEffort(t *testing.T) {
	inMinutes(t, faulty.Script(faulty.Refuse, faulty.Hold), func(m *minutes) {
		for range 3 {
			m.deny("too_many_resources", 1)
			wait(sumWindow)
		}
		wait(sumCommit)
		m.want("in the end", "decision.denied 1 1m0s")
	})
}

// TestNothingIsToldBelowTheLevel, and at the end of a node its window is.
func TestNothingIsToldBelowTheLevel(t *testing.T) {
	inMinutes(t, nil, func(m *minutes) {
		m.level = event.Level - 1
		m.deny("too_many_resources", 1)
		wait(sumWindow)
		m.want("below the level")
		m.level = event.Level
		m.deny("too_many_resources", 1)
		m.Tell(context.Background())
		m.want("at the end", "decision.denied 1 0s")
	})
}

// TestSumsAreBounded, whatever there is to count.
func TestSumsAreBounded(t *testing.T) {
	inMinutes(t, nil, func(m *minutes) {
		for i := range 2 * maxSums {
			m.deny(fmt.Sprint(i), 1)
		}
		m.deny("0", 1)
		wait(sumWindow)
		m.want("of too many", fmt.Sprintf("decision.denied %d 1m0s", maxSums+1))
	})
}

func BenchmarkDenied(b *testing.B) {
	s := StartSums(SumOptions{Now: time.Now})
	defer s.Close()
	denials := []event.Denial{{ServiceProvider: "STREAM1", MVPD: "cable", Call: "authorize", Code: "authorization_denied_by_mvpd", Count: 1}}
	b.ReportAllocs()
	for b.Loop() {
		s.Denied("acme", denials)
	}
}
