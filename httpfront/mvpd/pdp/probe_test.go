package pdp_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/mvpd"
)

// TestATestOfAPoint says what to do where there is none, and when the certificate that it
// knows this service by ends.
func TestATestOfAPoint(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, "sso")
	write(t, filepath.Join(dir, "cert"), cert)
	write(t, filepath.Join(dir, "key"), key)
	const point = `decisionTimeout: 200ms, authzURL: "https://127.0.0.1:1/", `
	files := func(cert string) string {
		return `authzCertFile: "` + filepath.Join(dir, cert) + `", authzKeyFile: "` + filepath.Join(dir, "key") + `"`
	}
	for keys, want := range map[string]mvpd.Line{
		"decision: pdp":                            {Check: "decision", Result: mvpd.Fail, Detail: "no decision point is configured", Advice: "set authzURL or xacmlURL, or decision: authenticated"},
		point + files("cert"):                      {Check: "decision certificate", Result: mvpd.Warn, Detail: "in 0 days", Advice: "must be renewed soon"},
		point + files("nowhere"):                   {Check: "decision certificate", Result: mvpd.Fail, Detail: "no such file", Advice: "mend the files"},
		point + "authzTokenFile: " + dir + "/none": {Check: "decision", Result: mvpd.Fail, Detail: "no such file", Advice: "authzTokenFile"},
	} {
		r := provider(t, keys).Test(t.Context(), mvpd.Probe{ServiceProvider: "ONE", Now: time.Now()})
		found := false
		for _, l := range r.Lines {
			found = found || l.Check == want.Check && l.Result == want.Result && strings.Contains(l.Detail, want.Detail) && strings.Contains(l.Advice, want.Advice)
		}
		if !found {
			t.Errorf("%s: %+v, want %+v", keys, r.Lines, want)
		}
	}
}
