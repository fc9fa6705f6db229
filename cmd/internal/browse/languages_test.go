package browse

import (
	"os"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
	"ssod/httpfront/page/texts"
)

// TestEveryPageInEveryLanguage looks at all pages of a second screen in each language, on a
// phone, zoomed and on a large screen, light and dark.
func TestEveryPageInEveryLanguage(t *testing.T) {
	if os.Getenv("SSOD_LONG") == "" {
		t.Skip("judges some four hundred pages: SSOD_LONG=1")
	}
	b := browsertest.Start(t)
	short := strings.Replace(branded, "  - id: acme\n", "  - id: acme\n    session: {ttl: 15s}\n", 1)
	w, brief := newWorldOf(t, strings.ReplaceAll(branded, "LOGOS", logos(t))), newWorldOf(t, strings.ReplaceAll(short, "LOGOS", logos(t)))
	for _, lang := range []string{"en", "de", "es", "fr"} {
		b.Speak(lang)
		p := &pages{T: t, b: b, texts: texts.For([]byte(lang))}
		p.before(w)
		p.notMade(w)
		p.afterTheEnd(w)
		p.expired(brief)
		p.out(w)
	}
}

// pages plays pages in a language.
type pages struct {
	*testing.T
	b     *browsertest.Browser
	texts *texts.Texts
}

// expect checks the page that is open, by its heading. The address may have been answered
// with an error, which the console tells.
func (p *pages) expect(name, title string) {
	p.Helper()
	p.b.Complaints()
	expectText(p.T, p.b, title)
	expectBeautiful(p.T, p.b, p.texts.Lang+"-"+name)
}

// press presses what begins with a text.
func (p *pages) press(text string) {
	p.Helper()
	p.b.Find("Tab", text)
	p.b.PressAndWait("Enter")
}

// tv is another TV in another network.
func (w *world) tv() *device {
	return w.newDevice(client.DeviceOptions{ID: "tv", Address: "198.51.100.7", UserAgent: "Mozilla/5.0 (Web0S; Linux/SmartTV)"})
}

// open opens the session of a device.
func (p *pages) open(d *device) client.Session {
	p.Helper()
	s := d.showCode()
	p.b.Open(s.VerificationURL)
	p.press(p.texts.Enter.Submit)
	return s
}

func (p *pages) before(w *world) {
	p.b.Open(w.api + "/activate")
	p.expect("brands", p.texts.Brands.Title)
	p.press("Stream One")
	p.expect("enter", p.texts.Enter.Title)
	p.b.Type("NoCode7")
	p.b.PressAndWait("Enter")
	p.expect("invalid", p.texts.Enter.Invalid.Title)
	p.b.Open(w.api + "/activate/nobody")
	p.expect("problem", p.texts.Problems.Link.Title)
}

// notMade plays logins that are cancelled and that fail, and the pages on the way.
func (p *pages) notMade(w *world) {
	p.open(w.tv())
	p.expect("choose", p.texts.Choose.Title)
	at := p.b.Location()
	for end, notice := range map[string]texts.Notice{"Cancel": p.texts.Cancelled, "Leo": p.texts.Failed} {
		p.b.Open(at)
		p.press("Acme TV")
		p.expect("question", p.texts.Question.Title)
		p.press(p.texts.Question.Continue)
		p.press(end)
		p.expect(end, notice.Title)
	}
}

// afterTheEnd plays what a browser is told that had opened a session.
func (p *pages) afterTheEnd(w *world) {
	tv := w.tv()
	p.open(tv)
	at := p.b.Location()
	tv.showCode()
	p.b.Open(at)
	p.expect("replaced", p.texts.Replaced.Title)
	p.open(tv)
	p.press(p.texts.Question.Decline)
	p.expect("declined", p.texts.Declined.Title)
	s := p.open(tv)
	at = p.b.Location()
	other := browsertest.Start(p.T)
	other.Open(s.VerificationURL)
	(&pages{p.T, other, texts.English()}).logIn()
	p.b.Open(at)
	p.expect("used", p.texts.Used.Title)
	(&pages{p.T, other, texts.English()}).expect("done", "You're done")
}

// logIn goes from a code in the field to the end.
func (p *pages) logIn() {
	p.press(p.texts.Enter.Submit)
	p.press("Acme TV")
	p.press(p.texts.Question.Continue)
	p.press("Ada")
}

func (p *pages) expired(w *world) {
	p.open(w.tv())
	at := p.b.Location()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !strings.Contains(p.b.Text(), p.texts.Expired.Title); {
		p.b.Open(at)
	}
	p.expect("expired", p.texts.Expired.Title)
}

// out logs a device out that gives no URL.
func (p *pages) out(w *world) {
	tv := w.tv()
	p.b.Open(tv.showCode().VerificationURL)
	p.logIn()
	p.expect("done", p.texts.Done.Title)
	l, err := tv.Logout(p.Context(), "AcmeTV", "")
	if err != nil {
		p.Fatal(err)
	}
	p.b.Open(l.URL)
	p.expect("signed-out", p.texts.SignedOut.Title)
}
