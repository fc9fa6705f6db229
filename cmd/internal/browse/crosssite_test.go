package browse

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
)

// TestAnotherSiteBreaksNoLogin: while a viewer logs in, a page of another site posts to where
// codes are typed. The browser keeps its cookie, and the login goes on.
func TestAnotherSiteBreaksNoLogin(t *testing.T) {
	b := browsertest.Start(t)
	w := newWorldOf(t, strings.ReplaceAll(branded, "LOGOS", logos(t)))
	tv := w.newDevice(client.DeviceOptions{ID: "tv"})
	s := tv.showCode()
	b.Open(s.VerificationURL)
	b.Find("Tab", "Continue")
	b.PressAndWait("Enter")
	b.Find("Tab", "Acme TV")
	b.PressAndWait("Enter")
	expectText(t, b, "Sign in to Acme TV")
	login := b.Location()

	evil := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(out, `<!doctype html><form method=post action="%s/activate/STREAM1"><input name=code value="%s"><button>You won</button></form>`, w.api, s.Code)
	}))
	t.Cleanup(evil.Close)
	b.Open(strings.Replace(evil.URL, "127.0.0.1", "localhost", 1))
	b.Find("Tab", "You won")
	b.PressAndWait("Enter")
	expectText(t, b, "This link does not work")

	b.Open(login)
	b.Find("Tab", "Ada")
	b.PressAndWait("Enter")
	expectText(t, b, "You're done")
	tv.expectLogin(s.Code, "regular")
}
