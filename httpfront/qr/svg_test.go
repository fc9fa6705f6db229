package qr_test

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"ssod/httpfront/qr"
)

// TestAReaderReadsIt with a port of ZXing, which many phones have.
func TestAReaderReadsIt(t *testing.T) {
	for _, text := range []string{
		"228128", "8ER64HM", "https://sso.example.com/activate/demo?code=8ER64HM",
		"http://127.0.0.1:8080/activate/" + strings.Repeat("s", 64) + "?code=8ER64HM", strings.Repeat("x", qr.MaxText),
	} {
		svg, err := qr.SVG(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, svg); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
		if len(text) < 128 && len(svg) > 5<<10 {
			t.Errorf("the code of %q takes %d bytes", text, len(svg))
		}
	}
}

func TestTooLong(t *testing.T) {
	if _, err := qr.SVG(strings.Repeat("x", qr.MaxText+1)); err == nil {
		t.Error("a text that is too long has a code")
	}
}

var (
	viewBox = regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
	strokes = regexp.MustCompile(`stroke="#000" d="([^"]+)"`)
	step    = regexp.MustCompile(`M(\d+) (\d+)\.5|m(\d+) 0|h(\d+)`)
)

// read draws what the SVG says and reads it.
func read(t *testing.T, svg string) string {
	t.Helper()
	const scale = 4
	side := viewBox.FindStringSubmatch(svg)
	if side == nil || side[1] != side[2] {
		t.Fatalf("no square: %.200s", svg)
	}
	n := number(t, side[1])
	picture := image.NewGray(image.Rect(0, 0, n*scale, n*scale))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	x, y, drawn := 0, 0, 0
	path := strokes.FindStringSubmatch(svg)[1]
	for _, m := range step.FindAllStringSubmatch(path, -1) {
		drawn += len(m[0])
		switch {
		case m[1] != "":
			x, y = number(t, m[1]), number(t, m[2])
		case m[3] != "":
			x += number(t, m[3])
		default:
			length := number(t, m[4])
			draw.Draw(picture, image.Rect(x*scale, y*scale, (x+length)*scale, (y+1)*scale), image.NewUniform(color.Black), image.Point{}, draw.Src)
			x += length
		}
	}
	if drawn != len(path) {
		t.Fatalf("the path has other commands: %s", path)
	}
	return decode(t, picture)
}

func decode(t *testing.T, picture image.Image) string {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil {
		t.Fatal(fmt.Errorf("no QR code: %w", err))
	}
	return found.GetText()
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
