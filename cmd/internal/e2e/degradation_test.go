package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
)

const degradedConfig = `
publicURL: ` + publicURL + `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, domains: [stream.example]}, other]
    mvpds: [{id: cable, kind: sandbox}, {id: dish, kind: sandbox}]
`

// seen is what an app sees of a TV provider.
type seen struct {
	Session      string // action and reason
	Profile      string // type and issuer
	Authorize    string // decision and source
	Preauthorize string
}

// sees asks everything that a rule of degradation may answer.
func (a *app) sees(ctx context.Context, d *device) (s seen, err error) {
	started, err := a.begin(ctx, d, whole("cable"))
	if err != nil {
		return s, err
	}
	s.Session = started.ActionName + " " + started.ReasonType
	answer, err := a.v2(ctx, "GET", "profiles/cable", d, "")
	var found struct {
		Profiles map[string]struct{ Type, Issuer string }
	}
	if err := want(answer, err, http.StatusOK, &found); err != nil {
		return s, err
	}
	s.Profile = strings.TrimSpace(found.Profiles["cable"].Type + " " + found.Profiles["cable"].Issuer)
	if s.Authorize, err = a.decides(ctx, "authorize", d); err != nil {
		return s, err
	}
	s.Preauthorize, err = a.decides(ctx, "preauthorize", d)
	return s, err
}

func (a *app) decides(ctx context.Context, kind string, d *device) (string, error) {
	answer, err := a.v2(ctx, "POST", "decisions/"+kind+"/cable", d, `{"resources":["channel-2"]}`)
	var out struct {
		Decisions []struct {
			Authorized bool
			Source     string
			Error      struct{ Code string }
		}
	}
	if err := want(answer, err, http.StatusOK, &out); err != nil {
		return "", err
	}
	if d := out.Decisions[0]; !d.Authorized {
		return d.Error.Code + " " + d.Source, nil
	}
	return "permit " + out.Decisions[0].Source, nil
}

// underRules is what devices see by rule, as httpfront/docs/entitlement.md#degradation has
// it: one that has never logged in, and one whose viewer has no subscription.
var underRules = map[string][2]seen{
	"off": {
		{"authenticate none", "", "authenticated_profile_missing mvpd", "authenticated_profile_missing mvpd"},
		{"authorize authenticated", "regular cable", "authorization_denied_by_mvpd mvpd", "preauthorization_denied_by_mvpd mvpd"},
	},
	config.AuthNAll: {
		{"authorize degraded", "degraded Adobe", "permit degradation", "permit degradation"},
		{"authorize degraded", "degraded Adobe", "permit degradation", "permit degradation"},
	},
	config.AuthZAll: {
		{"authenticate none", "", "authenticated_profile_missing mvpd", "authenticated_profile_missing mvpd"},
		{"authorize authenticated", "regular cable", "permit degradation", "permit degradation"},
	},
	config.AuthZNone: {
		{"authenticate none", "", "authorization_denied_by_degradation_rule degradation", "authorization_denied_by_degradation_rule degradation"},
		{"authorize authenticated", "regular cable", "authorization_denied_by_degradation_rule degradation", "authorization_denied_by_degradation_rule degradation"},
	},
}

// TestRulesSetAtRunTime: what ssoctl sets at one node counts at all of three when it
// returns, for one brand and one provider; it counts on a node that has lost the others,
// which decides for its viewers without them, until its end, and no longer.
func TestRulesSetAtRunTime(t *testing.T) {
	t.Parallel()
	brand, cable, dish := newReceiver(t), newReceiver(t), newReceiver(t)
	c := startTrio(t, degradedConfig+"    webhooks: ["+brand.config("")+", "+cable.config(", mvpd: cable")+", "+dish.config(", mvpd: dish")+"]\n")
	c.balanced()
	a := c.mustApp("tv")
	stranger, viewer := newDevice("stranger"), newDevice("viewer")
	_, err := a.logIn(t.Context(), viewer, "cable", "cleo")
	must(t, err)
	for i, rule := range []string{config.AuthNAll, config.AuthZAll, config.AuthZNone, "off"} {
		c.degrade(c.nodes[i%3], rule, time.Hour)
		for k, door := range c.spread(a) {
			for j, d := range []*device{stranger, viewer} {
				got, err := door.sees(t.Context(), d)
				must(t, err)
				if diff := cmp.Diff(underRules[rule][j], got); diff != "" {
					t.Errorf("%s, device %d at n%d (-want +got):\n%s", rule, j, k+1, diff)
				}
			}
		}
	}
	toldOfRules(t, brand, cable)
	c.alone(a, stranger)
	if told := dish.rules(); len(told) > 0 {
		t.Errorf("another TV provider is told of %v", told)
	}
}

// toldOfRules: the brand and the TV provider are told of the rules above, in order.
func toldOfRules(t *testing.T, receivers ...*receiver) {
	t.Helper()
	want := []string{
		"degradation.set AuthNAll <nil>", "degradation.ended AuthNAll replaced", "degradation.set AuthZAll <nil>",
		"degradation.ended AuthZAll replaced", "degradation.set AuthZNone <nil>", "degradation.ended AuthZNone off",
	}
	for i, r := range receivers {
		until(t, "events of degradation", func() bool { return len(r.rules()) >= len(want) })
		if diff := cmp.Diff(want, r.rules()); diff != "" {
			t.Errorf("receiver %d is told otherwise (-want +got):\n%s", i, diff)
		}
	}
}

// rules are the events of degradation so far.
func (r *receiver) rules() (told []string) {
	for _, e := range r.taken() {
		if e.Data["rule"] == nil {
			continue
		}
		if e.Data["serviceProvider"] != "tv" || e.Data["mvpd"] != "cable" {
			r.Errorf("told of %s", e.body)
		}
		told = append(told, fmt.Sprint(e.Type, " ", e.Data["rule"], " ", e.Data["reason"]))
	}
	return told
}

// degrade has a node set a rule, or end it.
func (c *trio) degrade(n *node, rule string, d time.Duration) {
	c.Helper()
	args := []string{"degrade", "tv", "cable", rule}
	if rule != "off" {
		args = append(args, "--for", d.String())
	}
	if said, err := n.Ctl(args...); err != nil {
		c.Fatalf("ssoctl %v: %v: %s", args, err, said)
	}
}

// alone kills two nodes while a rule counts.
func (c *trio) alone(a *app, d *device) {
	c.Helper()
	const life = 6 * time.Second // less than a node serves without the others
	before := time.Now()
	c.degrade(c.nodes[1], config.AuthNAll, life)
	after := time.Now()
	c.kill(c.nodes[0])
	c.kill(c.nodes[1])
	door, last := a.through(c.nodes[2]), time.Time{}
	until(c, "the rule's end", func() bool {
		asked := time.Now()
		got, err := door.decides(c.Context(), "authorize", d)
		if err == nil && got == "permit degradation" {
			last = asked
		}
		return time.Since(after) > life+time.Second
	})
	if last.Before(before.Add(life-time.Second)) || last.After(after.Add(life)) {
		c.Errorf("the rule was set for %v and counted until %v to %v after that", life, last.Sub(after), last.Sub(before))
	}
	if ok, detail := c.nodes[2].Condition("degradation"); !ok {
		c.Errorf("after its end the node still says: %s", detail)
	}
}

// TestRulesWhileTheirLeaderDies sets rules while the node that leads the meta shard is
// killed, again and again: one that was acknowledged counts on every node that runs,
// and the log has both ends of each.
func TestRulesWhileTheirLeaderDies(t *testing.T) {
	t.Parallel()
	c := startTrio(t, degradedConfig)
	c.balanced()
	rules := []string{config.AuthNAll, config.AuthZAll, config.AuthZNone}
	acknowledged := map[string]bool{}
	for round := range volume(1, 40) {
		c.promised()
		leader := c.metaLeader()
		doomed := leader.Process
		deadly := time.AfterFunc(time.Duration(rand.IntN(300))*time.Millisecond, func() { _ = doomed.Kill() }) // it is killed again below
		for i := range 8 {
			n := c.other(leader)
			rule := rules[(round+i)%len(rules)]
			set, err := n.set(rule, time.Hour)
			if err != nil {
				continue // nobody led: it may count or not
			}
			acknowledged[set.ID] = true
			for _, o := range c.nodes {
				if o == leader {
					continue
				}
				if got := o.ruleOf(); got.ID != set.ID {
					t.Errorf("round %d: %s was acknowledged by %s, and %s has %+v", round, set.ID, n.name(), o.name(), got)
				}
			}
		}
		deadly.Stop()
		c.kill(leader)
		c.start(leader)
	}
	c.settled()
	c.degrade(c.any(), "off", 0)
	if len(acknowledged) == 0 {
		t.Fatal("no rule was acknowledged")
	}
	for id := range acknowledged {
		for _, what := range []string{"degradation.set", "degradation.ended"} {
			until(t, what+" of "+id+" in a log", func() bool { return c.toldOf(what, id) })
		}
	}
	t.Logf("rules acknowledged: %d", len(acknowledged))
}

// ruled is a rule in an answer of the admin API.
type ruled struct{ ID, Rule string }

// set sets a rule through the admin API.
func (n *node) set(rule string, d time.Duration) (ruled, error) {
	var out struct{ Rules []ruled }
	err := n.Order(http.MethodPut, "/admin/v1/degradation/tv/cable", map[string]string{"rule": rule, "for": d.String()}, &out)
	if err != nil {
		return ruled{}, ordered(err)
	}
	if len(out.Rules) != 1 {
		n.Fatalf("a rule was set, and then there are %+v", out.Rules)
	}
	return out.Rules[0], nil
}

// ruleOf is the rule as the node knows it.
func (n *node) ruleOf() ruled {
	var out struct{ Rules []ruled }
	_, page := n.Page("/admin/v1/degradation/tv/cable")
	if json.Unmarshal([]byte(page), &out) != nil || len(out.Rules) != 1 {
		return ruled{}
	}
	return out.Rules[0]
}

// metaLeader is the node that leads the meta shard.
func (c *trio) metaLeader() (leader *node) {
	c.Helper()
	until(c, "a leader of the meta shard", func() bool {
		for _, n := range c.nodes {
			if shards := c.any().shards(); len(shards) > 0 && shards[0].Leader == n.name() {
				leader = n
			}
		}
		return leader != nil
	})
	return leader
}

// other is a node that is not the one.
func (c *trio) other(than *node) *node {
	for {
		if n := c.nodes[rand.IntN(len(c.nodes))]; n != than {
			return n
		}
	}
}

// toldOf reports whether the log of a node has an audit line about a rule.
func (c *trio) toldOf(what, id string) bool {
	line := regexp.MustCompile(`"audit":true,.*"what":"` + regexp.QuoteMeta(what) + `".*"rule_id":"` + id + `"`)
	for _, n := range c.nodes {
		if line.MatchString(n.Logged()) {
			return true
		}
	}
	return false
}
