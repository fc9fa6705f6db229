package browse

import (
	"strings"
	"testing"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
)

// TestFlowsInABrowser plays the flows of httpfront/docs/flows.md#flows that a viewer
// sees.
func TestFlowsInABrowser(t *testing.T) {
	b, w := browsertest.Start(t), newWorld(t)
	phone, tv := w.newDevice(client.DeviceOptions{ID: "phone"}), w.newDevice(client.DeviceOptions{ID: "tv"})

	// F1: the viewer of the phone logs in.
	phone.signIn("viewer-4711")
	address, code := phone.beginLogin()
	phone.expectLogin(code, "")
	b.Open(address)
	if text := b.Text(); !strings.Contains(text, "Stream One wants to know that you are a customer of Acme TV") {
		t.Fatalf("the login page says %q", text)
	}
	b.Find("Tab", "Ada")
	b.PressAndWait("Enter")
	expectAt(t, b, w.back+"/in")
	phone.expectLogin(code, "regular")
	phone.expectDecision("")

	// F2: the TV joins with a code and needs no login.
	link, err := phone.Link(t.Context())
	w.must(err)
	_, err = tv.Redeem(t.Context(), link.Code)
	w.must(err)
	tv.expectLogin("", "serviceTokenSSO")
	tv.expectDecision("")

	// F7: the login ends on both, and at the MVPD.
	b.Open(tv.beginLogout())
	expectAt(t, b, w.back+"/out")
	for _, d := range []*device{phone, tv} {
		d.expectLogin("", "")
		d.expectDecision("authenticated_profile_missing")
	}

	// F5: the platform knows who uses both devices.
	phone.onPlatform("household-1")
	tv.onPlatform("household-1")
	address, code = phone.beginLogin()
	b.Open(address)
	if strings.Contains(b.Text(), "Continue as") {
		t.Error("the MVPD remembers a viewer who logged out")
	}
	b.Find("ArrowDown", "Ben")
	b.PressAndWait("Enter")
	expectAt(t, b, w.back+"/in")
	phone.expectLogin(code, "regular")
	tv.expectLogin("", "platformSSO")
	tv.expectDecision("")
	expectNoComplaints(t, b)
}

// TestALoginCompletesOnce: after a login, the back button and another viewer
// change nothing, the address itself leads to the app, and another browser nowhere,
// and a login that was given up comes back with the reason.
func TestALoginCompletesOnce(t *testing.T) {
	b, w := browsertest.Start(t), newWorld(t)
	phone := w.newDevice(client.DeviceOptions{ID: "phone"})
	phone.signIn("viewer-4711")

	address, code := phone.beginLogin()
	b.Open(address)
	b.Find("Tab", "Ada")
	b.PressAndWait("Enter")
	expectAt(t, b, w.back+"/in")
	b.Back()
	b.Find("Tab", "Cleo")
	b.PressAndWait("Enter")
	expectAt(t, b, w.back+"/in")
	b.Open(address) // the same browser: for the viewer it is done
	expectAt(t, b, w.back+"/in")
	stranger := browsertest.Start(t)
	stranger.Open(address)
	expectProblem(t, stranger)
	phone.expectLogin(code, "regular")
	phone.expectDecision("") // Ada's, not Cleo's

	b.Open(phone.beginLogout())
	address, _ = phone.beginLogin()
	b.Open(address)
	b.Find("Tab", "Cancel")
	b.PressAndWait("Enter")
	expectAt(t, b, w.back+"/in?error=access_denied")
	phone.expectDecision("authenticated_profile_missing")
}

func expectAt(t *testing.T, b *browsertest.Browser, want string) {
	t.Helper()
	if got := b.Location(); got != want {
		t.Fatalf("the browser is at %s, want %s", got, want)
	}
}

// expectProblem checks that the browser shows an error as a page.
func expectProblem(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	if text := b.Text(); !strings.Contains(text, "This link does not work") {
		t.Errorf("the browser is at %s, which says %q", b.Location(), text)
	}
}

func expectNoComplaints(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	for _, c := range b.Complaints() {
		t.Error(c)
	}
}
