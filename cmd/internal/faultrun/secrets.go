package faultrun

import (
	"strings"
	"sync"
)

// secrets are the tokens, codes and client secrets that clients were given, and
// what the service said in errors.
type secrets struct {
	mu     sync.Mutex
	given  map[string]bool
	errors map[string]bool // bodies
}

// maxErrors bounds the bodies that are kept.
const maxErrors = 10_000

func newSecrets() *secrets { return &secrets{given: map[string]bool{}, errors: map[string]bool{}} }

// mark notes secrets; of a token the part that proves anything.
func (s *secrets) mark(all ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range all {
		if secret != "" {
			s.given[secret[strings.LastIndexByte(secret, '.')+1:]] = true
		}
	}
}

func (s *secrets) keep(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errors) < maxErrors {
		s.errors[string(body)] = true
	}
}

// search looks for secrets in a text. They are words of letters, digits, dash
// and underscore, so each word is looked up.
func (s *secrets) search(v *Verdict, where, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for word := range strings.FieldsFuncSeq(text, outsideSecret) {
		if s.given[word] {
			v.Found(SecretLeak, "a secret of %d characters is in %s", len(word), where)
		}
	}
}

func outsideSecret(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// searchAll looks for secrets in the logs of all nodes, in the metrics of those
// that answer, and in errors.
func (s *secrets) searchAll(c *Cluster, v *Verdict) {
	for _, n := range c.Nodes {
		s.search(v, "the log of "+n.Name, n.Logged())
		_, metrics := n.Page("/metrics")
		s.search(v, "the metrics of "+n.Name, metrics)
	}
	for body := range s.errors {
		s.search(v, "an error", body)
	}
}
