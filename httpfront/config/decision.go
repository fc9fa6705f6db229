package config

import (
	"fmt"
	"slices"
	"time"
)

// decided are the kinds of TV providers that have a decision point.
var decided = []string{"oidc", "saml"}

// maxDecisionTimeout leaves a request, which may take 10 s
// (httpfront/docs/limits.md#deadlines-and-waits), the time to answer.
const maxDecisionTimeout = 9 * time.Second

// decision checks who decides what the viewers of a TV provider may watch.
func (k *checker) decision(key string, m MVPD) {
	k.only(key+".authzURL", m.Kind, m.AuthzURL != "", decided...)
	k.only(key+".xacmlURL", m.Kind, m.XACMLURL != "", decided...)
	k.only(key+".obligations", m.Kind, len(m.Obligations) > 0, decided...)
	k.credential(key, m)
	k.lifetime(key+".decisionTimeout", m.DecisionTimeout, bounds{100 * time.Millisecond, maxDecisionTimeout})
	if !slices.Contains(decided, m.Kind) {
		return
	}
	k.oneOf(key+".decision", m.Decision, DecisionPDP, DecisionAuthenticated)
	k.decisionPoint(key, m)
	for i, id := range m.Obligations {
		k.text(fmt.Sprintf("%s.obligations[%d]", key, i), id)
	}
	if len(m.Obligations) > 0 && m.XACMLURL == "" {
		k.mistake(key+".obligations", "needs xacmlURL: they are obligations of XACML")
	}
}

func (k *checker) decisionPoint(key string, m MVPD) {
	k.asked(key+".authzURL", m.AuthzURL, m)
	k.asked(key+".xacmlURL", m.XACMLURL, m)
	switch {
	case m.AuthzURL != "" && m.XACMLURL != "":
		k.mistake(key+".xacmlURL", "there is an authzURL already: one of them decides")
	case m.AuthzURL == "" && m.XACMLURL == "" && m.Decision == DecisionPDP:
		k.warn(key, "nobody decides what viewers may watch, so they watch nothing: set authzURL or xacmlURL, or decision: authenticated, which lets them watch everything")
	}
}

// asked checks the URL of a decision point.
func (k *checker) asked(key, url string, m MVPD) {
	switch {
	case url == "":
	case m.Decision == DecisionAuthenticated:
		k.mistake(key, "is not asked with decision: authenticated")
	default:
		k.remote(key, url)
	}
}
