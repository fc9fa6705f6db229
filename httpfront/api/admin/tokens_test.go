package admin_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster/secretfile"
	"ssod/httpfront/api/admin"
)

func TestReadTokens(t *testing.T) {
	const one, two = "correct-horse-battery", "staple-that-battery"
	for name, tt := range map[string]struct {
		content string
		want    []string
	}{
		"one":                {one + "\n", []string{one}},
		"one without an end": {one, []string{one}},
		"two with comments":  {"# new\r\n" + two + "\r\n\n# old\n" + one, []string{two, one}},
		"none":               {"\n# " + one + "\n", nil},
		"a short one":        {one + "\nswordfish\n", nil},
		"two in a line":      {one + " " + two + "\n", nil},
		"too many":           {strings.Repeat(one+"\n", 9), nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := admin.ReadTokens(path)
			if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (tt.want != nil) {
				t.Errorf("tokens (-want +got):\n%s%v", diff, err)
			}
			if err != nil && (strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "swordfish")) {
				t.Errorf("the error quotes the file: %v", err)
			}
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := admin.ReadTokens(path); !errors.Is(err, secretfile.ErrExposed) {
				t.Errorf("readable for everybody: got %v", err)
			}
		})
	}
}

// Every token is accepted, until the set is changed under a listener that runs.
func TestTokensChangeWhileTheListenerRuns(t *testing.T) {
	const one, two = "correct-horse-battery", "staple-that-battery"
	tokens := admin.NewTokens(one)
	f := start(t, func(o *admin.Options) { o.Tokens = tokens })
	expect := func(token string, want int) {
		t.Helper()
		if got, _ := f.call("GET", "/livez", "", "Authorization", "Bearer "+token); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	expect(one, 200)
	expect(two, 401)
	tokens.Set(two, one)
	expect(one, 200)
	expect(two, 200)
	tokens.Set(two)
	expect(one, 401)
	expect(two, 200)
	tokens.Set()
	expect(two, 401)
	expect("", 401)
}

// TestTheAuditNamesTheToken: by a fingerprint, in the line of each call, so that it is
// known whose it was.
func TestTheAuditNamesTheToken(t *testing.T) {
	const one, two = "correct-horse-battery", "staple-that-battery"
	tokens := admin.NewTokens(one, two)
	f := start(t, func(o *admin.Options) { o.Tokens = tokens })
	for _, token := range []string{two, one, "nobody-s-battery"} {
		f.call("GET", "/admin/v1/keys", "", "Authorization", "Bearer "+token)
	}
	var got []string
	for line := range strings.Lines(f.logged()) {
		if _, rest, ok := strings.Cut(line, "audit=true "); ok {
			who, _, _ := strings.Cut(rest, " address=")
			got = append(got, who)
		}
	}
	names := tokens.Fingerprints()
	want := []string{"who=token token=" + names[1], "who=token token=" + names[0], "who=stranger"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
	if names[0] == names[1] || len(names[0]) != 8 || names[0] != admin.Fingerprint(one) {
		t.Errorf("fingerprints %q", names)
	}
	if strings.Contains(f.logged(), "battery") {
		t.Error("the log has a token")
	}
}
