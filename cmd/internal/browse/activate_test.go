package browse

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
)

// branded is a realm whose service provider and MVPDs have pictures and colours, at an
// address of the test.
const branded = `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders:
      - {id: STREAM1, displayName: Stream One, domains: ["127.0.0.1"], logoUrl: "LOGOS/stream.svg", faviconUrl: "LOGOS/icon.svg", color: "#8a1253"}
      - {id: STREAM2, displayName: Stream Two, domains: ["127.0.0.1"]}
    mvpds:
      - {id: AcmeTV, displayName: Acme TV, kind: sandbox, logoUrl: "LOGOS/acme.svg", color: "#00567a"}
      - {id: Borealis, displayName: Borealis Broadband and Television, kind: sandbox}
      - {id: Cabledor, displayName: "Câble d'Or", kind: sandbox, logoUrl: "LOGOS/dor.svg"}
      - {id: Delta, displayName: Delta, kind: sandbox}
      - {id: Estrella, displayName: Estrella, kind: sandbox, logoUrl: "LOGOS/estrella.svg"}
      - {id: Fjord, displayName: Fjord Vision, kind: sandbox}
      - {id: Grove, displayName: Grove, kind: sandbox}
      - {id: Harbor, displayName: Harbor Cable, kind: sandbox, logoUrl: "LOGOS/gone.svg"}
`

// logos serves the pictures of brands, and complains where a browser tells more than it must.
func logos(t *testing.T) string {
	t.Helper()
	picture := func(text, color string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="48" viewBox="0 0 160 48"><rect width="48" height="48" rx="12" fill="` + color +
			`"/><text x="58" y="33" font-family="sans-serif" font-size="24" font-weight="700" fill="` + color + `">` + text + `</text></svg>`
	}
	pictures := map[string]string{
		"/stream.svg": picture("stream", "#8a1253"), "/icon.svg": picture("", "#8a1253"), "/acme.svg": picture("acme", "#00567a"),
		"/dor.svg": picture("d'or", "#8a6d00"), "/estrella.svg": picture("star", "#b3261e"),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := pictures[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Referer() != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("a picture is asked for from %q with %q", r.Referer(), r.Header.Get("Cookie"))
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	// By another name than the service's: cookies do not look at ports.
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// TestASecondScreenInABrowser: a TV in another network shows a code, and a viewer does the
// rest on the pages of the service, first with the keyboard and no script.
func TestASecondScreenInABrowser(t *testing.T) {
	b := browsertest.Start(t)
	w := newWorldOf(t, strings.ReplaceAll(branded, "LOGOS", logos(t)))
	tv := w.newDevice(client.DeviceOptions{ID: "tv", Address: "198.51.100.7", UserAgent: "Mozilla/5.0 (Web0S; Linux/SmartTV)"})
	b.DisableScripts()

	s := tv.showCode()
	b.Open(w.api + "/activate")
	expectBeautiful(t, b, "brands")
	b.Find("Tab", "Stream One")
	b.PressAndWait("Enter")
	expectBeautiful(t, b, "enter")
	b.Type("NoCode7")
	b.PressAndWait("Enter")
	expectText(t, b, "This code is not valid")
	b.Complaints() // that it was answered with 400
	expectBeautiful(t, b, "invalid")

	b.Open(s.VerificationURL)
	expectText(t, b, "Continue only if Stream One shows this very code")
	expectBeautiful(t, b, "scanned")
	b.Find("Tab", "Continue")
	b.PressAndWait("Enter")
	expectText(t, b, "Choose your TV provider", "TV, LG", s.Code[:3]+" "+s.Code[3:])
	expectBeautiful(t, b, "choose")
	b.Press("Tab") // the search is first
	b.Type("cable d")
	b.PressAndWait("Enter")
	expectText(t, b, "Câble d'Or", "Show all")
	expectBeautiful(t, b, "search")
	b.Find("Tab", "Show all")
	b.PressAndWait("Enter")
	b.Find("Tab", "Acme TV")
	b.PressAndWait("Enter")
	expectText(t, b, "Is this your device?")
	expectBeautiful(t, b, "question")
	b.Find("Tab", "Continue")
	b.PressAndWait("Enter")
	expectText(t, b, "Sign in to Acme TV")
	expectBeautiful(t, b, "sandbox")
	b.Find("Tab", "Cancel")
	b.PressAndWait("Enter")
	expectText(t, b, "You cancelled the login")
	expectBeautiful(t, b, "cancelled")
	b.Find("Tab", "Try again")
	b.PressAndWait("Enter")
	b.Find("Tab", "Acme TV")
	b.PressAndWait("Enter")
	b.Find("Tab", "Continue")
	b.PressAndWait("Enter")
	b.Find("Tab", "Ada")
	b.PressAndWait("Enter")
	expectText(t, b, "You're done", "Look at your TV: Stream One is ready.")
	expectBeautiful(t, b, "done")
	tv.expectLogin(s.Code, "regular")
	tv.expectDecision("")
}

func expectText(t *testing.T, b *browsertest.Browser, wants ...string) {
	t.Helper()
	text := b.Text()
	for _, want := range wants {
		want = strings.Join(strings.Fields(want), " ") // as the text is; French has other blanks
		if !strings.Contains(text, want) {
			t.Errorf("the page at %s lacks %q: %s", b.Location(), want, text)
		}
	}
}

// looks are how a page is looked at: on a phone, at 200 % on a laptop, on a large screen;
// light and dark.
var looks = []struct {
	name  string
	width int64
	dark  bool
	long  bool // judged in the long tests only
}{
	{"phone", 320, false, false},
	{"tv-dark", 1280, true, false},
	{"zoomed", 640, false, true},
	{"tv", 1280, false, true},
	{"phone-dark", 320, true, true},
	{"zoomed-dark", 640, true, true},
}

// expectBeautiful checks what every page must be, however it is looked at: accessible, within
// its policy, and without sideways scrolling.
func expectBeautiful(t *testing.T, b *browsertest.Browser, name string) {
	t.Helper()
	for _, look := range looks {
		b.Resize(look.width)
		if look.dark {
			b.PreferDark()
		} else {
			b.PreferLight()
		}
		if n := b.Overhang(); n > 0 {
			t.Errorf("%s, %s: %d pixels too wide", name, look.name, n)
		}
		b.Screenshot(name + "-" + look.name)
		if look.long && os.Getenv("SSOD_LONG") == "" {
			continue
		}
		for _, v := range b.Violations() {
			t.Errorf("%s, %s: %s", name, look.name, v)
		}
	}
	b.PreferLight()
	expectNoComplaints(t, b)
}
