package admin_test

import (
	"strings"
	"testing"
)

// TestRulesOfBothSources: the answers show what counts and what does not, and the audit
// line between whom.
func TestRulesOfBothSources(t *testing.T) {
	f := start(t)
	if _, body := f.call("GET", "/admin/v1/degradation", ""); !strings.Contains(body, `"source": "file"`) || strings.Contains(body, "overridden") {
		t.Errorf("the file's rule alone: %s", body)
	}
	f.call("PUT", "/admin/v1/degradation/tv/cable", `{"rule":"AuthNAll","for":"10m"}`)
	_, body := f.call("GET", "/admin/v1/degradation/tv/cable", "")
	for _, want := range []string{`"rule": "AuthNAll"`, `"source": "runtime"`, `"by": "local"`, `"until": `, `"rule": "AuthZNone"`, `"overridden": true`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
	if _, other := f.call("GET", "/admin/v1/degradation/tv/plain", ""); strings.Contains(other, "AuthNAll") {
		t.Errorf("another provider has the rule: %s", other)
	}
	if log := f.logged(); !strings.Contains(log, "serviceProvider=tv mvpd=cable rule=AuthNAll until=") {
		t.Errorf("the audit line does not say what was set:\n%s", log)
	}
}
