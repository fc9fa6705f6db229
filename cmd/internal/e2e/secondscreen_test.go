package e2e

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
)

// playSecondScreen logs a device in that shows a QR code: a phone reads it off the screen, and
// its browser does the rest on the pages of the service and of a foreign provider.
func playSecondScreen(t *testing.T, n *node, tv *client.Device) {
	t.Helper()
	s, err := tv.CreateSession(t.Context(), client.SessionParameters{Verification: true})
	must(t, err)
	b := browsertest.Start(t, strings.TrimPrefix(publicURL, "http://")+" "+n.at().HTTP)
	address := scan(t, b, s.QR)
	if address != s.VerificationURL {
		t.Fatalf("the QR code leads to %q, want %q", address, s.VerificationURL)
	}
	b.Open(address)
	expectGoodPage(t, b, "Connect your TV")
	b.Find("Tab", "Continue")
	b.PressAndWait("Enter")
	expectGoodPage(t, b, "Sign in with your TV provider")
	b.Find("Tab", "Continue with cable")
	b.PressAndWait("Enter")
	b.Focus("[name=login]")
	b.Type("viewer-2")
	b.Focus("[name=password]")
	b.Type("any")
	b.PressAndWait("Enter")
	b.Focus("button[type=submit]") // the viewer agrees
	b.PressAndWait("Enter")
	b.AwaitText("Look at your TV: Stream One is ready.")
	expectGoodPage(t, b, "You're done")
	profile, err := tv.AwaitProfile(t.Context(), s)
	if err != nil || string(profile.Attributes["userID"].Value) != `"viewer-2"` {
		t.Errorf("the TV finds %+v, %v", profile, err)
	}
}

// expectGoodPage checks that a page of the service has a heading and no violations.
func expectGoodPage(t *testing.T, b *browsertest.Browser, heading string) {
	t.Helper()
	if text := b.Text(); !strings.Contains(text, heading) {
		t.Fatalf("the page at %s lacks %q: %s", b.Location(), heading, text)
	}
	for _, v := range b.Violations() {
		t.Errorf("%s: %s", heading, v)
	}
}

// scan reads a QR code that a TV shows on a dark screen, with the decoder that phones have.
func scan(t *testing.T, b *browsertest.Browser, svg string) string {
	t.Helper()
	screen := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>TV</title><style>body { background: #000; } svg { width: 300px; margin: 40px }</style>` + svg))
	}))
	defer screen.Close()
	b.Open(screen.URL)
	picture, err := png.Decode(bytes.NewReader(b.Picture()))
	must(t, err)
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	must(t, err)
	found, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	must(t, err)
	return found.GetText()
}
