package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
)

// Degradation are the rules of degradation that are set at run time;
// [degradation.Rules] are.
type Degradation interface {
	List() []degradation.Rule
	Set(ctx context.Context, o degradation.Order) (degradation.Rule, error)
	// Off ends a rule; false: there was none.
	Off(ctx context.Context, p degradation.Pair, by string) (was bool, err error)
}

// ruleList is the answer of the calls below degradation.
type ruleList struct {
	Rules []ruleView `json:"rules"`
}

// ruleView is a rule of the file or one that was set at run time.
type ruleView struct {
	ServiceProvider string     `json:"serviceProvider"`
	MVPD            string     `json:"mvpd"`
	Rule            string     `json:"rule"`
	Source          string     `json:"source"`
	ID              string     `json:"id,omitempty"`
	Set             *time.Time `json:"set,omitempty"`
	Until           *time.Time `json:"until,omitempty"`
	By              string     `json:"by,omitempty"`
	// Overridden marks a rule of the file that does not count, because another one was
	// set at run time.
	Overridden bool `json:"overridden,omitempty"`
}

// Sources of rules.
const (
	fromRuntime = "runtime"
	fromFile    = "file"
)

// rules are all rules of some pairs, those set at run time first.
func (c *call) rules(of func(degradation.Pair) bool) ruleList {
	views, set := []ruleView{}, map[degradation.Pair]bool{}
	for _, r := range c.Degradation.List() {
		set[r.Pair] = true
		views = append(views, ruleView{
			ServiceProvider: r.ServiceProvider, MVPD: r.MVPD, Rule: r.Rule, Source: fromRuntime,
			ID: r.ID, Set: &r.Set, Until: &r.Until, By: r.By,
		})
	}
	for _, r := range degradation.Filed(c.Settings()) {
		views = append(views, ruleView{ServiceProvider: r.ServiceProvider, MVPD: r.MVPD, Rule: r.Rule, Source: fromFile, Overridden: set[r.Pair]})
	}
	return ruleList{slices.DeleteFunc(views, func(v ruleView) bool {
		return !of(degradation.Pair{ServiceProvider: v.ServiceProvider, MVPD: v.MVPD})
	})}
}

// listRules serves GET /admin/v1/degradation.
func listRules(_ context.Context, c *call) (any, error) {
	if _, err := c.query(); err != nil {
		return nil, err
	}
	return c.rules(func(degradation.Pair) bool { return true }), nil
}

// pair is what the path names.
func (c *call) pair() degradation.Pair {
	return degradation.Pair{ServiceProvider: c.PathValue("serviceProvider"), MVPD: c.PathValue("mvpd")}
}

// rulesOf answers with the rules of the pair that the path names.
func (c *call) rulesOf() (any, error) {
	return c.rules(func(p degradation.Pair) bool { return p == c.pair() }), nil
}

// showRule serves GET /admin/v1/degradation/{serviceProvider}/{mvpd}.
func showRule(_ context.Context, c *call) (any, error) {
	if _, err := c.query(); err != nil {
		return nil, err
	}
	return c.rulesOf()
}

// ruleOrder is the body of setRule.
type ruleOrder struct {
	Rule string `json:"rule"`
	For  string `json:"for"`
}

// setRule serves PUT /admin/v1/degradation/{serviceProvider}/{mvpd}.
func setRule(ctx context.Context, c *call) (any, error) {
	var in ruleOrder
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	o := degradation.Order{Pair: c.pair(), Rule: in.Rule, By: c.who()}
	var err error
	switch o.For, err = time.ParseDuration(in.For); {
	case in.Rule == "":
		return nil, badRequest("rule is missing: one of %s", strings.Join(config.Rules(), ", "))
	case in.For == "":
		return nil, badRequest("for is missing: how long the rule lasts, %v to %v", degradation.MinFor, degradation.MaxFor)
	case err != nil:
		return nil, badRequest("for %q is not a duration, such as 10m", in.For)
	}
	set, err := c.Degradation.Set(ctx, o)
	if err != nil {
		return nil, err
	}
	c.noteRule(set.Pair)
	c.note("rule", set.Rule)
	c.note("until", set.Until)
	return c.rulesOf()
}

// endRule serves DELETE /admin/v1/degradation/{serviceProvider}/{mvpd}. There need not
// be a rule.
func endRule(ctx context.Context, c *call) (any, error) {
	if _, err := c.query(); err != nil {
		return nil, err
	}
	was, err := c.Degradation.Off(ctx, c.pair(), c.who())
	if err != nil {
		return nil, err
	}
	c.noteRule(c.pair())
	c.note("ended", was)
	return c.rulesOf()
}

func (c *call) noteRule(p degradation.Pair) {
	c.note("serviceProvider", p.ServiceProvider)
	c.note("mvpd", p.MVPD)
}
