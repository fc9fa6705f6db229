package degradation_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/token/keys/keystest"
)

const realms = `
realms:
  - id: acme
    serviceProviders: [ONE, TWO]
    degradation: [{serviceProvider: ONE, mvpd: plain, rule: AuthZNone}]
    mvpds: [{id: cable, kind: sandbox}, {id: plain, kind: sandbox}]
  - id: bare
    serviceProviders: [BARE]
`

func settings(t *testing.T) *config.Config {
	t.Helper()
	cfg, err := config.Parse([]byte(realms), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// node is one node's rules. All nodes of a test have the same tables.
type node struct {
	*degradation.Rules
	cfg  *config.Config
	log  bytes.Buffer
	mu   sync.Mutex // guards what follows
	told []string
	fail error
}

// failing has the receiver of notices fail, or not any more.
func (n *node) failing(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = err
}

func open(t *testing.T, tables *keystest.Store, edit func(*degradation.Options)) *node {
	t.Helper()
	n := &node{cfg: settings(t)}
	o := degradation.Options{
		Tables: tables, Settings: func() *config.Config { return n.cfg }, Leads: func() bool { return true },
		Ready: func() error { return nil }, Time: func(at time.Time) time.Time { return at },
		Tell: func(_ context.Context, m degradation.Notice) error {
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.fail == nil {
				n.told = append(n.told, m.Event()+" "+m.Rule.Rule+" "+string(m.Ended)+" "+m.By)
			}
			return n.fail
		},
		Log: slog.New(slog.NewTextHandler(&n.log, nil)),
	}
	if edit != nil {
		edit(&o)
	}
	var err error
	if n.Rules, err = degradation.Open(o); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) rule(serviceProvider, mvpd string) string {
	realm, _, _ := n.cfg.ServiceProvider(serviceProvider)
	return n.At(time.Now()).Rule(realm, serviceProvider, mvpd)
}

func order(serviceProvider, mvpd, rule string, d time.Duration) degradation.Order {
	return degradation.Order{Pair: degradation.Pair{ServiceProvider: serviceProvider, MVPD: mvpd}, Rule: rule, For: d, By: "local"}
}

func (n *node) set(t *testing.T, o degradation.Order) degradation.Rule {
	t.Helper()
	rule, err := n.Set(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// TestARuleEndsByItself: it beats the file on every node until its last moment, and
// nobody has to do anything for its end.
func TestARuleEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tables := &keystest.Store{}
		one, two := open(t, tables, nil), open(t, tables, nil)
		one.set(t, order("ONE", "cable", config.AuthNAll, time.Minute))
		one.set(t, order("ONE", "plain", config.AuthZAll, time.Minute))
		for _, moment := range []struct {
			after time.Duration
			want  []string // of ONE at cable, at plain, of TWO at cable
		}{
			{0, []string{"AuthNAll", "AuthZAll", ""}},
			{time.Minute - 1, []string{"AuthNAll", "AuthZAll", ""}},
			{1, []string{"", "AuthZNone", ""}},
		} {
			<-time.After(moment.after)
			for _, n := range []*node{one, two} {
				if diff := cmp.Diff(moment.want, []string{n.rule("ONE", "cable"), n.rule("ONE", "plain"), n.rule("TWO", "cable")}); diff != "" {
					t.Errorf("%v later (-want +got):\n%s", moment.after, diff)
				}
			}
		}
		if left := two.List(); len(left) != 0 {
			t.Errorf("rules that have ended are listed: %v", left)
		}
	})
}

// TestOffUncoversTheFile: what was set at run time goes, and the file's rule counts again.
func TestOffUncoversTheFile(t *testing.T) {
	n := open(t, &keystest.Store{}, nil)
	pair := degradation.Pair{ServiceProvider: "ONE", MVPD: "plain"}
	n.set(t, order("ONE", "plain", config.AuthNAll, time.Hour))
	for _, want := range []bool{true, false} {
		if was, err := n.Off(t.Context(), pair, "local"); was != want || err != nil {
			t.Errorf("off: %v, %v, want %v", was, err, want)
		}
		if got := n.rule("ONE", "plain"); got != config.AuthZNone {
			t.Errorf("then %q counts, want the file's AuthZNone", got)
		}
	}
}

func TestOrdersThatCannotBe(t *testing.T) {
	tests := map[string]struct {
		order degradation.Order
		want  string // of the error
	}{
		"another service provider": {order("NONE", "cable", config.AuthNAll, time.Minute), `there is no service provider "NONE"`},
		"another TV provider":      {order("ONE", "disc", config.AuthNAll, time.Minute), `has no MVPD "disc", only cable, plain`},
		"none at all":              {order("BARE", "cable", config.AuthNAll, time.Minute), `realm bare of service provider BARE has no MVPD`},
		"another rule":             {order("ONE", "cable", "AuthAll", time.Minute), `"AuthAll" is not one of AuthNAll, AuthZAll, AuthZNone`},
		"no time":                  {order("ONE", "cable", config.AuthNAll, 0), `from 1s to 24h0m0s, not 0s`},
		"too short":                {order("ONE", "cable", config.AuthNAll, time.Second-1), `from 1s`},
		"too long":                 {order("ONE", "cable", config.AuthNAll, 24*time.Hour+1), `from 1s`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tables := &keystest.Store{}
			n := open(t, tables, nil)
			_, err := n.Set(t.Context(), tt.order)
			if !errors.Is(err, degradation.ErrOrder) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if _, revision := tables.Records("degradation"); revision != 0 {
				t.Error("the table was changed")
			}
		})
	}
}

// TestNothingIsKeptTooEarly: before the format level allows it there is no record.
func TestNothingIsKeptTooEarly(t *testing.T) {
	tables := &keystest.Store{}
	n := open(t, tables, func(o *degradation.Options) { o.Ready = func() error { return degradation.ErrNotNow } })
	_, err := n.Set(t.Context(), order("ONE", "cable", config.AuthNAll, time.Minute))
	if _, revision := tables.Records("degradation"); !errors.Is(err, degradation.ErrNotNow) || revision != 0 {
		t.Errorf("got %v and revision %d", err, revision)
	}
}

// TestEachRuleIsToldOfTwice: once that it was set, once that it has ended, whatever ends it.
func TestEachRuleIsToldOfTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tables := &keystest.Store{}
		n := open(t, tables, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); n.Keep(ctx) }()
		n.set(t, order("ONE", "cable", config.AuthNAll, time.Minute))
		synctest.Wait()
		n.set(t, order("ONE", "cable", config.AuthZAll, time.Minute))
		synctest.Wait()
		if _, err := n.Off(t.Context(), degradation.Pair{ServiceProvider: "ONE", MVPD: "cable"}, "token 1234"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		n.failing(errors.New("nobody is there"))
		n.set(t, order("TWO", "plain", config.AuthZNone, 2*time.Second))
		<-time.After(4 * time.Second)
		n.failing(nil)
		<-time.After(2 * time.Second)
		cancel()
		<-done
		want := []string{
			"degradation.set AuthNAll  local",
			"degradation.ended AuthNAll replaced local", "degradation.set AuthZAll  local",
			"degradation.ended AuthZAll off token 1234",
			"degradation.set AuthZNone  local", "degradation.ended AuthZNone over ",
		}
		if diff := cmp.Diff(want, n.told); diff != "" {
			t.Errorf("notices (-want +got):\n%s", diff)
		}
		for range tables.All("degradation") {
			t.Fatal("something is left in the table")
		}
		for _, line := range []string{
			`audit=true who=local what=degradation.set serviceProvider=ONE mvpd=cable rule=AuthNAll`,
			`audit=true who="token 1234" what=degradation.ended`, `why=over`,
		} {
			if !strings.Contains(n.log.String(), line) {
				t.Errorf("the log has no %s:\n%s", line, &n.log)
			}
		}
	})
}

// TestOnlyTheLeaderTidies: the others neither delete nor tell.
func TestOnlyTheLeaderTidies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := open(t, &keystest.Store{}, func(o *degradation.Options) { o.Leads = func() bool { return false } })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go n.Keep(ctx)
		n.set(t, order("ONE", "cable", config.AuthNAll, time.Second))
		<-time.After(time.Minute)
		n.mu.Lock()
		defer n.mu.Unlock()
		if len(n.told) > 0 {
			t.Errorf("told %q", n.told)
		}
	})
}

// TestAWrongClockMakesNoRuleLast: one that was set by a clock which was days ahead does
// not count when the clock is right again.
func TestAWrongClockMakesNoRuleLast(t *testing.T) {
	tables := &keystest.Store{}
	ahead := 72 * time.Hour
	n := open(t, tables, func(o *degradation.Options) { o.Time = func(at time.Time) time.Time { return at.Add(ahead) } })
	n.set(t, order("ONE", "cable", config.AuthNAll, time.Hour))
	if got := n.rule("ONE", "cable"); got != config.AuthNAll {
		t.Errorf("got %q, want AuthNAll", got)
	}
	ahead = 0
	if got := n.rule("ONE", "cable"); got != "" {
		t.Errorf("got %q, want none", got)
	}
}

// TestABusyTable: the decision is made again on what another node wrote meanwhile.
func TestABusyTable(t *testing.T) {
	tables := &overtaken{}
	n := open(t, &tables.Store, func(o *degradation.Options) { o.Tables = tables })
	tables.before = func() {
		other := open(t, &tables.Store, nil)
		other.set(t, order("ONE", "cable", config.AuthZNone, time.Hour))
	}
	n.set(t, order("ONE", "cable", config.AuthNAll, time.Hour))
	if rules := n.List(); len(rules) != 1 || rules[0].Rule != config.AuthNAll {
		t.Errorf("got %v, want AuthNAll alone", rules)
	}
}

// overtaken is a store in which another node is faster, once.
type overtaken struct {
	keystest.Store
	before func()
}

func (o *overtaken) Update(ctx context.Context, table string, revision uint64, puts map[string][]byte, deletes []string) error {
	if before := o.before; before != nil {
		o.before = nil
		before()
	}
	return o.Store.Update(ctx, table, revision, puts, deletes)
}

// TestAFailedChangeChangesNothing.
func TestAFailedChangeChangesNothing(t *testing.T) {
	tables := &keystest.Store{}
	n := open(t, tables, nil)
	tables.Fail(cluster.ErrRefused)
	if _, err := n.Set(t.Context(), order("ONE", "cable", config.AuthNAll, time.Hour)); !errors.Is(err, cluster.ErrRefused) {
		t.Errorf("got %v", err)
	}
	if got := n.rule("ONE", "cable"); got != "" {
		t.Errorf("got %q, want none", got)
	}
}
