package mvpd

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"ssod/httpfront/config"
)

// Probe is what a test of a provider asks.
type Probe struct {
	// Login is one that nobody makes: its callback and its secrets.
	Login Login
	// ServiceProvider is the id of the channel that asks for a decision on Resource, on
	// behalf of a viewer with the id Subject. Where Subject is empty it is made up, and a
	// deny is as good an answer as a permit.
	ServiceProvider, Resource, Subject string
	Now                                time.Time
}

// What a test asks for when it is not told.
const (
	TestResource = "ssod-provider-test"
	TestSubject  = "ssod-provider-test"
)

// Test tests the provider: what a login needs, and a decision.
func (p *Provider) Test(ctx context.Context, t Probe) *Report {
	r := &Report{Now: t.Now}
	if tester, ok := p.Connector.(Tester); ok {
		tester.Test(ctx, r, t.Login)
	} else {
		r.OK("login", "kind %s has nothing to test", p.Config.Kind)
	}
	p.testDecision(ctx, r, t)
	return r
}

// testDecision asks the real decider.
func (p *Provider) testDecision(ctx context.Context, r *Report, t Probe) {
	switch {
	case p.Config.Kind == "temppass":
		return // its trials decide
	case p.Config.Decision == config.DecisionAuthenticated:
		r.OK("decision", "whoever is logged in watches everything (decision: authenticated)")
		return
	}
	p.testCredential(r)
	resource := cmp.Or(t.Resource, TestResource)
	began := time.Now()
	decisions, err := p.ask(ctx, Question{
		Requester: t.Login.Requester, Subject: cmp.Or(t.Subject, TestSubject), ServiceProvider: t.ServiceProvider,
		Resources: []string{resource}, Preauthorize: true,
	})
	took := time.Since(began)
	if err == nil && len(decisions) != 1 {
		err = errLength
	}
	if err != nil {
		r.Fail("decision", p.decisionAdvice(err), "no decision on %s after %d ms: %v", resource, took.Milliseconds(), plainly(err))
		return
	}
	d := decisions[0]
	said := "permitted"
	if d.Verdict != Permit {
		said = d.Verdict.Code(false)
	}
	switch slow := p.budget / 2; {
	case d.Verdict == Unreadable, d.Verdict == TimedOut, d.Verdict == OutOfTime:
		r.Fail("decision", p.decisionAdvice(nil), "the answer on %s is %s", resource, said)
	case t.Subject != "" && d.Verdict == UnknownIdentity:
		r.Warn("decision", "check --subject, and which claim becomes userID", "the decision point does not know the viewer")
	case took > slow:
		r.Warn("decision", "ask its operator; viewers wait as long", "%s: %s, but after %d ms; after %v viewers get an error", resource, said, took.Milliseconds(), p.budget)
	default:
		r.OK("decision", "%s: %s, after %d ms", resource, said, took.Milliseconds())
	}
}

// testCredential judges the certificate that the decision point knows this service by.
func (p *Provider) testCredential(r *Report) {
	const check = "decision certificate"
	if p.Config.AuthzCertFile == "" {
		return
	}
	pair, err := p.Config.AuthzCertificate()
	if err != nil {
		r.Fail(check, "mend the files", "authzCertFile and authzKeyFile cannot be used: %v", err)
		return
	}
	r.Certificate(check, "this service", pair.Leaf.NotBefore, pair.Leaf.NotAfter, Fail)
}

// decisionAdvice is what to do when there is no decision.
func (p *Provider) decisionAdvice(err error) string {
	switch {
	case errors.Is(err, ErrNobodyDecides):
		return "set authzURL or xacmlURL, or decision: authenticated, which lets viewers watch everything; then ssoctl reload"
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return "so many questions failed that it is not asked for a moment: look at the log, and test again"
	case errors.Is(err, errBusy):
		return "all connections wait for answers: it is slow; look at the metrics"
	}
	return "check the URL of the decision point, what it knows this service by (authzTokenFile, authzCertFile), and its log; meanwhile ssoctl degrade can answer in its place"
}
