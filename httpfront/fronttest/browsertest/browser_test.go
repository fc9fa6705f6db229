package browsertest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ssod/httpfront/fronttest/browsertest"
)

// bad is a page with one mistake of each kind: no language, grey on grey, too
// wide, and a script that its policy blocks.
const bad = `<!doctype html><title>Bad</title><style>p { color: #999; background: #aaa; width: 500px }</style>
<main><h1>Bad</h1><p>Hard to read</p><button>One</button><button>Two</button></main><script>document.title = "ran"</script>`

// TestTheBrowserSeesWhatIsBad: the checks of other tests can fail.
func TestTheBrowserSeesWhatIsBad(t *testing.T) {
	b := browsertest.Start(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write([]byte(bad))
	}))
	t.Cleanup(server.Close)
	b.Open(server.URL)
	if list := b.Complaints(); len(list) != 1 || !strings.Contains(list[0], "Content Security Policy") {
		t.Errorf("got %q, want one complaint about the blocked script", list)
	}
	b.Resize(320)
	if b.Overhang() < 180 {
		t.Errorf("got an overhang of %d, want the 500 pixels of the paragraph seen", b.Overhang())
	}
	found := strings.Join(b.Violations(), "\n")
	for _, rule := range []string{"html-has-lang", "color-contrast"} {
		if !strings.Contains(found, rule) {
			t.Errorf("axe did not find %s in:\n%s", rule, found)
		}
	}
	b.Find("Tab", "Two")
	if got := b.Focused(); got != "Two" {
		t.Errorf("%q has the focus", got)
	}
}
