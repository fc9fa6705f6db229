package browse

import (
	"strings"
	"testing"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
)

// TestWhoseDeviceInABrowser plays the page that asks a viewer in another network
// whose device it is, with the keys of a remote control: first for somebody who sent
// the viewer a link, then for the viewer's own TV.
func TestWhoseDeviceInABrowser(t *testing.T) {
	b, w := browsertest.Start(t), newWorld(t)
	tv := w.newDevice(client.DeviceOptions{ID: "tv", Address: "198.51.100.7", UserAgent: "Mozilla/5.0 (Web0S; Linux/SmartTV)"})

	address, code := tv.beginLogin()
	b.Open(address)
	expectQuestion(t, b, code)
	if got := b.Focused(); got != "" {
		t.Errorf("%q has the focus before a key was pressed", got)
	}
	for _, key := range []string{"Tab", "Tab"} { // nothing but the answers takes it
		b.Press(key)
	}
	if got := b.Focused(); got != "This is not my device" {
		t.Fatalf("%q has the focus after two steps", got)
	}
	b.PressAndWait("Enter")
	expectGoodPage(t, b, "declined")
	if text := b.Text(); !strings.Contains(text, "The login has ended") {
		t.Errorf("the page says %q", text)
	}
	b.Open(address)
	expectProblem(t, b)
	b.Complaints() // that it was answered with 400
	tv.expectDecision("authenticated_profile_missing")

	address, code = tv.beginLogin()
	b.Open(address)
	expectQuestion(t, b, code)
	b.Find("ArrowDown", "This is not my device")
	b.Find("ArrowUp", "Continue")
	b.PressAndWait("Enter")
	b.Find("ArrowDown", "Ada")
	b.PressAndWait("Enter")
	expectAt(t, b, w.back+"/in")
	tv.expectLogin(code, "regular")
	tv.expectDecision("")
}

// expectQuestion checks that the page asks, about a code.
func expectQuestion(t *testing.T, b *browsertest.Browser, code string) {
	t.Helper()
	text := b.Text()
	for _, want := range []string{"Is this your device?", "Stream One asks you to sign in with Acme TV", "TV, LG", code[:3] + " " + code[3:]} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q: %s", want, text)
		}
	}
	expectGoodPage(t, b, "question")
}

// expectGoodPage checks what every page must be: accessible, within its own policy,
// and without sideways scrolling on the narrowest screen.
func expectGoodPage(t *testing.T, b *browsertest.Browser, name string) {
	t.Helper()
	for _, width := range []int64{320, 1280} {
		b.Resize(width)
		if n := b.Overhang(); n > 0 {
			t.Errorf("%s: %d pixels too wide for %d", name, n, width)
		}
		b.Screenshot(name + "-" + map[int64]string{320: "phone", 1280: "tv"}[width])
	}
	expectNoComplaints(t, b)
	for _, v := range b.Violations() {
		t.Errorf("%s: %s", name, v)
	}
}
