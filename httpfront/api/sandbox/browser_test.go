package sandbox_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ssod/httpfront/fronttest/browsertest"
	"ssod/httpfront/mvpd"
)

// app is where the browser comes back to: the callback of the login, or the
// end of the logout.
func app(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Back</title><p>Back at the app`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestPagesInABrowser plays the pages as a viewer with a remote control does.
func TestPagesInABrowser(t *testing.T) {
	b, w, back := browsertest.Start(t), newWorld(t), app(t)
	login := mvpd.Login{Secrets: mvpd.DeriveSecrets([]byte(rand.Text()), "login"), Callback: back + "/callback", ServiceProvider: "Kids <TV>"}
	at := w.begin(t, login)

	b.Open(at)
	expectGoodPage(t, b, "login")
	if got := b.Focused(); got != "" {
		t.Errorf("%q has the focus of a fresh page", got)
	}
	b.Find("Tab", "Ben")
	b.PressAndWait("Enter")
	expectBack(t, b, back+"/callback?code=")

	// Remembered: one press of Enter is enough, and the arrows reach the rest.
	b.Open(at)
	if got := b.AwaitFocus(); !strings.HasPrefix(got, "Continue as Ben") {
		t.Errorf("%q has the focus, want Ben", got)
	}
	expectGoodPage(t, b, "login-again")
	b.Find("ArrowDown", "Cancel")
	b.Press("ArrowDown") // the end: nothing happens
	b.Find("ArrowUp", "Cleo")
	b.Find("ArrowRight", "Leo")
	b.PressAndWait("Enter")
	expectBack(t, b, back+"/callback?error=server_error&state=")

	away, err := w.Logout(t.Context(), mvpd.Logout{Return: back + "/bye"})
	if err != nil {
		t.Fatal(err)
	}
	b.Open(away.URL)
	expectBack(t, b, back+"/bye")
	b.Open(at)
	if strings.Contains(b.Text(), "Continue as") {
		t.Error("the page remembers a viewer who logged out")
	}

	b.Open(at + "x")
	b.Complaints() // that the page was answered with 400
	expectGoodPage(t, b, "problem")
}

// TestPagesAreAccessible has axe-core judge each page.
func TestPagesAreAccessible(t *testing.T) {
	b, w, back := browsertest.Start(t), newWorld(t), app(t)
	at := w.begin(t, mvpd.Login{Secrets: mvpd.DeriveSecrets([]byte(rand.Text()), "login"), Callback: back + "/callback", ServiceProvider: "Kids"})
	judge := func(name string) {
		for _, v := range b.Violations() {
			t.Errorf("%s: %s", name, v)
		}
	}
	b.Resize(320)
	b.Open(at)
	judge("login")
	b.Find("Tab", "Ben")
	b.PressAndWait("Enter")
	b.Open(at)
	judge("login of a viewer who is remembered")
	b.Open(at + "x")
	judge("problem")
}

// expectGoodPage checks what every page must be: without sideways scrolling on
// the narrowest screen, and within its own policy.
func expectGoodPage(t *testing.T, b *browsertest.Browser, name string) {
	t.Helper()
	for _, width := range []int64{320, 1280} {
		b.Resize(width)
		if n := b.Overhang(); n > 0 {
			t.Errorf("%s: %d pixels too wide for %d", name, n, width)
		}
		b.Screenshot(name + "-" + map[int64]string{320: "phone", 1280: "tv"}[width])
	}
	for _, c := range b.Complaints() {
		t.Errorf("%s: %s", name, c)
	}
}

func expectBack(t *testing.T, b *browsertest.Browser, prefix string) {
	t.Helper()
	if got := b.Location(); !strings.HasPrefix(got, prefix) {
		t.Fatalf("the browser is at %s, want %s...", got, prefix)
	}
	b.Complaints() // the page of the app is a stranger's
}
