package config

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strconv"
)

// Brand is how a service provider or an MVPD looks on the pages that viewers see.
type Brand struct {
	LogoURL    string // empty: its name
	FaviconURL string // empty: none
	// Color and DarkColor are those of its buttons and links on light and on dark pages,
	// as #rrggbb; empty: the service's own.
	Color, DarkColor string
}

// Brand is how the service provider looks.
func (s *ServiceProvider) Brand() Brand {
	return Brand{s.LogoURL, s.FaviconURL, s.Color, darkOf(s.Color, s.DarkColor)}
}

// Brand is how the MVPD looks.
func (m *MVPD) Brand() Brand {
	return Brand{m.LogoURL, m.FaviconURL, m.Color, darkOf(m.Color, m.DarkColor)}
}

// What stands below the colours of a brand in links and lists; package page has them. As the
// ground of a button a colour is below white on a light page, and on a dark page below a text
// that is darker than darkPage.
const (
	lightPage = "#ffffff"
	darkPage  = "#24272e"
)

// minContrast is what text of any size needs (WCAG 2.2, 1.4.3).
const minContrast = 4.5

// brand checks the keys of a brand.
func (k *checker) brand(key string, b Brand, darkGiven bool) {
	if b.LogoURL != "" {
		k.logo(key+".logoUrl", b.LogoURL)
	}
	if b.FaviconURL != "" {
		k.logo(key+".faviconUrl", b.FaviconURL)
	}
	k.color(key+".color", b.Color, lightPage, "white")
	switch {
	case !darkGiven: // made of color, so that it is readable
	case b.Color == "":
		k.mistake(key+".darkColor", "needs color: it is the same on a dark page")
	default:
		k.color(key+".darkColor", b.DarkColor, darkPage, "a dark page")
	}
}

var colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// color checks a colour that text is written in on a page, and on that text in the colour of
// the page.
func (k *checker) color(key, text, page, pageName string) {
	if text == "" {
		return
	}
	if !colorForm.MatchString(text) {
		k.mistake(key, "%q is not a colour such as \"#0b4a8f\", in quotes", clip(text))
		return
	}
	if got := contrast(text, page); got < minContrast {
		k.mistake(key, "has a contrast of %s:1 to %s, and text needs 4.5:1 (WCAG 2.2, 1.4.3); %s has it", floor1(got), pageName, legible(text, page))
	}
}

// floor1 is a number with one digit, never rounded up to what is enough.
func floor1(f float64) string { return strconv.FormatFloat(math.Floor(f*10)/10, 'f', 1, 64) }

// darkOf is the colour on dark pages: the one that is given, or else color, lighter as far as
// that is needed.
func darkOf(color, dark string) string {
	if dark != "" || !colorForm.MatchString(color) {
		return dark
	}
	return legible(color, darkPage)
}

// legible is the nearest mixture of a colour with white or black that has enough contrast.
func legible(color, page string) string {
	to := 255.0
	if luminance(page) > 0.5 {
		to = 0
	}
	from := rgb(color)
	for part := 0.0; ; part += 0.01 {
		mixed := "#"
		for _, c := range from {
			mixed += fmt.Sprintf("%02x", int(math.Round(c+(to-c)*part)))
		}
		if contrast(mixed, page) >= minContrast || part >= 1 {
			return mixed
		}
	}
}

// contrast is the ratio of two colours (WCAG 2.2, contrast ratio).
func contrast(a, b string) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// luminance is how light a colour is, from 0 to 1 (WCAG 2.2, relative luminance).
func luminance(color string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := rgb(color)[i] / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// rgb are the parts of a colour that has the form of one, from 0 to 255.
func rgb(color string) (parts [3]float64) {
	for i := range parts {
		n, err := strconv.ParseUint(color[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(err) // the form was checked
		}
		parts[i] = float64(n)
	}
	return parts
}

// logo checks the address of a picture that apps and pages load. Those under https do not
// load it from elsewhere.
func (k *checker) logo(key, text string) {
	k.address(key, text)
	if u, err := url.Parse(text); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		k.warn(key, "is not https: web players do not show it")
	}
}
