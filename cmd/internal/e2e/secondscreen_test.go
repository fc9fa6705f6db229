package e2e

import (
	"bytes"
	"fmt"
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
// its browser does the rest on the pages of the service and of a foreign provider, where logIn
// logs viewer-2 in.
func playSecondScreen(t *testing.T, n *node, tv *client.Device, provider string, logIn func(*browsertest.Browser)) {
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
	b.Find("Tab", "Continue with "+provider)
	b.PressAndWait("Enter")
	logIn(b)
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
// As a phone, which takes many pictures, it comes closer until it can read the code.
func scan(t *testing.T, b *browsertest.Browser, svg string) string {
	t.Helper()
	var err error
	for width := 300; width <= 600; width += 30 {
		var text string
		if text, err = read(t, b, svg, width); err == nil {
			return text
		}
	}
	t.Fatalf("no reader reads the code: %v", err)
	return ""
}

// read reads a QR code off a screen, where it is some pixels wide.
func read(t *testing.T, b *browsertest.Browser, svg string, width int) (string, error) {
	t.Helper()
	screen := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>TV</title><style>body { background: #000; } svg { width: %dpx; margin: 20px }</style>%s`, width, svg)
	}))
	defer screen.Close()
	b.Open(screen.URL)
	picture, err := png.Decode(bytes.NewReader(b.Picture()))
	must(t, err)
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	must(t, err)
	found, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil {
		return "", err
	}
	return found.GetText(), nil
}
