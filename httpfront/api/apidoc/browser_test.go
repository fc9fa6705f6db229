package apidoc_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"ssod/httpfront/api/apidoc"
	"ssod/httpfront/fronttest/browsertest"
)

// listener serves the pages and notes what it was asked for.
type listener struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.asked = append(l.asked, r.URL.Path)
	l.mu.Unlock()
	f := apidoc.Admin(strings.Trim(strings.TrimPrefix(r.URL.Path, apidoc.Prefix), "/"))
	if f == nil || !strings.HasPrefix(r.URL.Path, apidoc.Prefix) {
		http.NotFound(w, r)
		return
	}
	answer := f.Answer([]byte(r.Header.Get("Accept-Encoding")), nil)
	for _, field := range answer.Fields {
		w.Header().Set(field.Name, field.Value)
	}
	w.Header().Set("Content-Type", answer.ContentType)
	_, _ = w.Write(answer.Body)
}

// requests are what was asked for since the last call, but for the browser's own
// question for an icon.
func (l *listener) requests() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := slices.DeleteFunc(l.asked, func(path string) bool { return path == "/favicon.ico" })
	l.asked = nil
	return asked
}

// checkConsole looks for scripts that failed and for what the policy blocked.
func checkConsole(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	for _, c := range b.Complaints() {
		t.Error(c)
	}
}

func checkAccess(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	checkConsole(t, b)
	for _, v := range b.Violations() {
		t.Error(v)
	}
}

// TestThePagesAreAccessible: on a desktop and on a phone, light and dark. What
// axe-core says of a reference takes long, and both are of one template.
func TestThePagesAreAccessible(t *testing.T) {
	const wide, narrow = 1280, 320
	for _, look := range []struct {
		address string
		width   int64
		dark    bool
	}{
		{"/docs", wide, false},
		{"/docs", narrow, false},
		{"/docs/tv", wide, true},
		{"/docs/errors", narrow, true}, // mostly tables
		{"/docs/reference", wide, false},
	} {
		b, l := browsertest.Start(t), listen(t)
		if look.dark {
			b.PreferDark()
		}
		b.Resize(look.width)
		b.Open(l.URL + look.address)
		checkAccess(t, b)
	}
}

// TestThePagesFitAndLoadNothing: no page is wider than a phone, and none loads
// anything.
func TestThePagesFitAndLoadNothing(t *testing.T) {
	b, l := browsertest.Start(t), listen(t)
	for address := range pages(t) {
		for _, width := range []int64{320, 1280} {
			b.Resize(width)
			b.Open(l.URL + address)
			if n := b.Overhang(); n > 0 {
				t.Errorf("%s: %d pixels too wide for %d", address, n, width)
			}
			if got := l.requests(); !slices.Equal(got, []string{address}) {
				t.Errorf("%s loads %q", address, got)
			}
			b.Screenshot(fmt.Sprint(strings.ReplaceAll(address[1:], "/", "-"), "-", width))
		}
	}
	checkConsole(t, b)
}

// slash presses the key that begins a search. Unlike a keyboard, the protocol
// types the character even though the page has taken the key.
func slash(b *browsertest.Browser) {
	b.Type("/")
	b.Press("Backspace")
}

// TestSearchWithTheKeyboard finds an operation by its id and goes there.
func TestSearchWithTheKeyboard(t *testing.T) {
	b, l := browsertest.Start(t), listen(t)
	b.Open(l.URL + "/docs")
	slash(b)
	b.Type("createLinkCode")
	b.AwaitText("results")
	b.Find("ArrowDown", "Create a link code API reference")
	b.Screenshot("docs-search")
	b.PressAndWait("Enter")
	if got := b.Location(); got != l.URL+"/docs/reference#createLinkCode" {
		t.Errorf("the result leads to %s", got)
	}
	if got := l.requests(); !slices.Equal(got, []string{"/docs", "/docs/search.json", "/docs/reference"}) {
		t.Errorf("asked for %q", got)
	}
	slash(b)
	b.Type("xyzzy")
	b.AwaitText("Nothing found")
	b.Press("Escape")
	if text := b.Text(); strings.Contains(text, "Nothing found") {
		t.Error("the results are still there")
	}
	checkConsole(t, b)
}

// TestCopy: a button says what it did, and is reached with the keyboard.
func TestCopy(t *testing.T) {
	b, l := browsertest.Start(t), listen(t)
	b.Open(l.URL + "/docs")
	b.Find("Tab", "Copy")
	b.Press("Enter")
	b.AwaitText("Copied")
	checkConsole(t, b)
}

// TestWithoutScripts: everything can be read, and nothing is offered that needs
// a script.
func TestWithoutScripts(t *testing.T) {
	b, l := browsertest.Start(t), listen(t)
	b.DisableScripts()
	b.Open(l.URL + "/docs/reference")
	text := b.Text()
	for _, want := range []string{"createLinkCode", `curl -sS -X POST "$HOST/api/$SERVICE_PROVIDER/link"`, "042917", "A guide for TV apps"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	b.Find("Tab", "Skip to the content")
	b.Find("Tab", "A guide for TV apps")
	b.PressAndWait("Enter")
	if got := b.Location(); got != l.URL+"/docs/tv" {
		t.Errorf("the link leads to %s", got)
	}
	if strings.Contains(b.Text(), "Copy ") {
		t.Error("there are buttons without a script")
	}
	b.Screenshot("docs-without-scripts")
}
