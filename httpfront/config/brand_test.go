package config

import (
	"math"
	"os"
	"strings"
	"testing"
)

// TestContrast against the values of the formula in WCAG 2.2.
func TestContrast(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want float64
	}{
		{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#777777", "#ffffff", 4.48}, {"#767676", "#FFFFFF", 4.54}, {"#ff0000", "#ffffff", 4.00},
	} {
		if got := contrast(tt.a, tt.b); math.Abs(got-tt.want) > 0.01 || got != contrast(tt.b, tt.a) {
			t.Errorf("%s on %s: got %.3f, want %.2f", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestAColourIsReadable in the dark too, whatever it is in the light.
func TestAColourIsReadable(t *testing.T) {
	for _, color := range []string{"#000000", "#0b4a8f", "#7a1f5c", "#c8102e", "#006400", "#767676"} {
		b := (&ServiceProvider{Color: color}).Brand()
		if contrast(b.DarkColor, darkPage) < minContrast || !colorForm.MatchString(b.DarkColor) {
			t.Errorf("%s is %s in the dark", color, b.DarkColor)
		}
	}
	if got := (&MVPD{Color: "#0b4a8f", DarkColor: "#ffffff"}).Brand().DarkColor; got != "#ffffff" {
		t.Errorf("a colour for the dark that is given is %s", got)
	}
	if got := (&MVPD{}).Brand(); got != (Brand{}) {
		t.Errorf("no brand is %+v", got)
	}
}

// TestBrandMistakes are told for a service provider and an MVPD alike.
func TestBrandMistakes(t *testing.T) {
	parse := func(keys string) string {
		_, err := Parse([]byte("realms: [{id: a, serviceProviders: [{id: S, "+keys+"}], mvpds: [{id: m, kind: sandbox, "+keys+"}]}]"), Options{})
		if err == nil {
			return ""
		}
		return err.Error()
	}
	for keys, want := range map[string]string{
		`color: "#0b4a8f", logoUrl: "https://a.example/l.svg", faviconUrl: "https://a.example/i.png"`: "",
		`color: "#ffcc00"`:                          `color: has a contrast of 1.5:1 to white, and text needs 4.5:1 (WCAG 2.2, 1.4.3); #`,
		`color: "#0b4a8f", darkColor: "#0b4a8f"`:    `darkColor: has a contrast of 1.7:1 to a dark page`,
		`color: "#0b4a8f", darkColor: "#9cc4ff"`:    "",
		`darkColor: "#9cc4ff"`:                      `darkColor: needs color`,
		`color: blue`:                               `color: "blue" is not a colour such as "#0b4a8f", in quotes`,
		`color: "#fff"`:                             `is not a colour`,
		`color: "#0b4a8f;}"`:                        `is not a colour`,
		`logoUrl: "javascript:alert(1)"`:            `logoUrl: is not an http or https URL`,
		`faviconUrl: "https://a:b@a.example/i.png"`: `faviconUrl: must not hold a password`,
	} {
		got := parse(keys)
		if (want == "") != (got == "") || want != "" && strings.Count(got, want) < 2 {
			t.Errorf("%s: got %q, want %q twice", keys, got, want)
		}
	}
}

// TestTheSuggestedColourIsGood: who follows the advice of a mistake is done.
func TestTheSuggestedColourIsGood(t *testing.T) {
	for _, color := range []string{"#ffcc00", "#ffffff", "#00ff00"} {
		if got := legible(color, lightPage); contrast(got, lightPage) < minContrast {
			t.Errorf("%s for %s is not readable", got, color)
		}
	}
}

// TestPagesAreAsChecked: the style of the pages has the grounds that colours are checked
// against.
func TestPagesAreAsChecked(t *testing.T) {
	css, err := os.ReadFile("../page/layout.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"main { padding: 1.5rem 2.5rem 2rem; border-radius: 1rem; background: #fff;", "form ul, input { background: " + darkPage + ";"} {
		if !strings.Contains(string(css), want) {
			t.Errorf("the style does not have %q", want)
		}
	}
}
