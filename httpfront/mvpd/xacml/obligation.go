package xacml

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"ssod/httpfront/mvpd"
)

// obligation is what a decision point wants done with its decision; XACML 2.0, 5.34.
type obligation struct {
	id          string
	assignments []assignment
}

type assignment struct{ id, kind, language, text string }

const (
	languageSpace = "http://www.w3.org/XML/1998/namespace"
	uriType       = "http://www.w3.org/2001/XMLSchema#anyURI"
)

// obligations are those that go with the decision.
func obligations(result *element, decision string) ([]obligation, error) {
	lists := result.all(policySpace, "Obligations")
	if len(lists) > 1 {
		return nil, errors.New("it has several lists of obligations")
	}
	var all []obligation
	for _, list := range lists {
		for _, e := range list.all(policySpace, "Obligation") {
			if e.attribute("FulfillOn") == decision {
				all = append(all, obligation{e.attribute("ObligationId"), assignments(e)})
			}
		}
	}
	return all, nil
}

func assignments(obligation *element) []assignment {
	var all []assignment
	for _, e := range obligation.all(policySpace, "AttributeAssignment") {
		all = append(all, assignment{
			e.attribute("AttributeId"), e.attribute("DataType"), e.attributeIn(languageSpace, "lang"), e.text,
		})
	}
	return all
}

// spaces are the namespaces of obligations that OLCA and TV providers use; ocla is a
// spelling of theirs.
var spaces = []string{"urn:tve:xacml:2.0:obligations:", "urn:cablelabs:olca:1.0:obligations:", "urn:cablelabs:ocla:1.0:obligations:"}

// word is what an id says in a namespace that is known; "" in others.
func (o *obligation) word() string {
	for _, space := range spaces {
		if word, ok := strings.CutPrefix(o.id, space); ok {
			return word
		}
	}
	return ""
}

// reasons are the words that say why a deny is one.
var reasons = map[string]mvpd.Verdict{
	"upgrade":     mvpd.Denied,
	"restrict-pc": mvpd.ParentalControls,
	"in-home":     mvpd.HomeOnly,
	"re-authn":    mvpd.SessionInvalidated,
}

// decision is what becomes of a result.
func (c *Client) decision(ctx context.Context, r *result, q *query) mvpd.Decision {
	switch {
	case r.unknown:
		return mvpd.Decision{Verdict: mvpd.UnknownIdentity}
	case r.decision == "Permit":
		return c.permit(ctx, r, q)
	case r.decision == "Deny", r.decision == "NotApplicable":
		return deny(r, q.question.Languages)
	default: // Indeterminate, or no decision
		return mvpd.Decision{Verdict: mvpd.Unreadable}
	}
}

// permit permits if every obligation can be met.
func (c *Client) permit(ctx context.Context, r *result, q *query) mvpd.Decision {
	d := mvpd.Decision{Verdict: mvpd.Permit}
	if !r.notAfter.IsZero() {
		d.TTL = max(r.notAfter.Sub(c.Now()), time.Second)
	}
	for _, o := range r.obligations {
		ttl, ok := o.seconds()
		switch {
		case slices.Contains(c.Obligations, o.id):
		case o.word() == "log":
			c.Log.InfoContext(ctx, "a TV provider wants this permit logged", "serviceProvider", q.question.ServiceProvider, "query", q.id)
		case (o.word() == "re-authz" || o.word() == "reauthz") && ok:
			if d.TTL == 0 || ttl < d.TTL {
				d.TTL = ttl
			}
		default:
			c.Log.WarnContext(ctx, "a permit of a TV provider has an obligation that is not known, so it is a deny", "obligation", clip(o.id))
			return mvpd.Decision{Verdict: mvpd.Denied}
		}
	}
	return d
}

// seconds is the whole number in an obligation, above 0 and at most ten years.
func (o *obligation) seconds() (time.Duration, bool) {
	for _, a := range o.assignments {
		n, err := strconv.Atoi(a.text)
		if err == nil && n > 0 && n <= 10*365*24*3600 {
			return time.Duration(n) * time.Second, true
		}
	}
	return 0, false
}

// deny explains a deny by its obligations.
func deny(r *result, languages string) mvpd.Decision {
	d := mvpd.Decision{Verdict: mvpd.Denied}
	var messages []mvpd.Text
	for _, o := range r.obligations {
		if verdict, ok := reasons[o.word()]; ok && d.Verdict == mvpd.Denied {
			d.Verdict = verdict
		}
		for _, a := range o.assignments {
			switch {
			case a.kind == uriType:
				d.Upgrade = a.text
			case strings.HasSuffix(a.id, "message"):
				messages = append(messages, mvpd.Text{Language: a.language, Text: a.text})
			}
		}
	}
	d.Message = mvpd.InLanguage(languages, messages)
	return d
}
