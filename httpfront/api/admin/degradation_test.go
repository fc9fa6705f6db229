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

// TestAProviderTestTellsOfRules that count, since apps do not get what it finds.
func TestAProviderTestTellsOfRules(t *testing.T) {
	f := start(t)
	test := func(mvpd string) string {
		_, body := f.call("POST", "/admin/v1/providers/a/"+mvpd+"/test", `{}`)
		return body
	}
	if body := test("cable"); !strings.Contains(body, "AuthZNone answers apps of tv in the place of the provider") || !strings.Contains(body, "it is in the configuration") {
		t.Errorf("the file's rule: %s", body)
	}
	f.call("PUT", "/admin/v1/degradation/tv/cable", `{"rule":"AuthNAll","for":"10m"}`)
	body := test("cable")
	for _, want := range []string{"AuthNAll answers apps of tv in the place of the provider, until ", "ssoctl degrade tv cable off", `"ok": true`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
	if strings.Contains(body, "AuthZNone") {
		t.Errorf("a rule that does not count: %s", body)
	}
	if body := test("trial"); strings.Contains(body, "degradation") {
		t.Errorf("another provider has the rule: %s", body)
	}
}
