package degradation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ssod/httpfront/config"
)

// How long a rule may be set for.
const (
	MinFor = time.Second
	MaxFor = 24 * time.Hour
)

// MaxRules is how many rules there may be at run time.
const MaxRules = 1000

var (
	// ErrOrder: an order names what there is not, or a time out of range. Nothing was changed.
	ErrOrder = errors.New("nothing was changed")
	// ErrNotNow: the cluster cannot keep such rules now; the text says why.
	ErrNotNow = errors.New("no rule can be set now")
	// ErrFull: there are [MaxRules] rules.
	ErrFull = errors.New("there are too many rules")
)

// Pair is between whom a rule is.
type Pair struct{ ServiceProvider, MVPD string }

// Rule is a rule that was set at run time.
type Rule struct {
	Pair
	ID         string // the same until it ends or is replaced
	Rule       string // config.AuthNAll, config.AuthZAll or config.AuthZNone
	Set, Until time.Time
	By         string // who set it, as in audit lines
}

// Order asks for a rule.
type Order struct {
	Pair
	Rule string
	For  time.Duration
	By   string
}

// check finds what is wrong with an order.
func (o *Order) check(cfg *config.Config) error {
	if err := known(cfg, o.Pair); err != nil {
		return err
	}
	switch {
	case !slices.Contains(config.Rules(), o.Rule):
		return fmt.Errorf("%w: %q is not one of %s", ErrOrder, clip(o.Rule), strings.Join(config.Rules(), ", "))
	case o.For < MinFor || o.For > MaxFor:
		return fmt.Errorf("%w: a rule lasts from %v to %v, not %v", ErrOrder, MinFor, MaxFor, o.For)
	}
	return nil
}

// known is an error unless the configuration has the service provider and the MVPD in one
// realm.
func known(cfg *config.Config, p Pair) error {
	realm, _, ok := cfg.ServiceProvider(p.ServiceProvider)
	if !ok {
		return fmt.Errorf("%w: there is no service provider %q", ErrOrder, clip(p.ServiceProvider))
	}
	var ids []string
	for _, m := range realm.MVPDs {
		if m.ID == p.MVPD {
			return nil
		}
		ids = append(ids, m.ID)
	}
	if len(ids) == 0 {
		return fmt.Errorf("%w: realm %s of service provider %s has no MVPD", ErrOrder, realm.ID, p.ServiceProvider)
	}
	return fmt.Errorf("%w: realm %s of service provider %s has no MVPD %q, only %s", ErrOrder, realm.ID, p.ServiceProvider, clip(p.MVPD), listed(ids))
}

// listed are the first of many names.
func listed(ids []string) string {
	const most = 10
	if len(ids) > most {
		return strings.Join(ids[:most], ", ") + fmt.Sprintf(" and %d more", len(ids)-most)
	}
	return strings.Join(ids, ", ")
}

// clip bounds what an error repeats.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
