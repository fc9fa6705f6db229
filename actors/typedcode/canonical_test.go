package typedcode

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestCanonical(t *testing.T) {
	for typed, want := range map[string]string{
		"228128": "228128", "ab2cd3": "AB2CD3", "": "", " - ": "",
		// Blanks: ASCII, no-break, narrow no-break, figure, thin, ideographic,
		// Ogham, line separator, line end.
		"228 128": "228128", "\t228\u00a0128\r\n": "228128", "228\u202f128": "228128", "2\u20072\u20098\u3000128": "228128",
		"228\u1680128": "228128", "228\u2028128": "228128",
		// Dashes: hyphen, no-break hyphen, figure, en, em, minus, full-width,
		// katakana middle dot, underscore, soft hyphen.
		"228-128": "228128", "228\u2010128": "228128", "228\u2011128": "228128", "228\u2012128": "228128", "228\u2013128": "228128",
		"228\u2014128": "228128", "228\u2212128": "228128", "228\uff0d128": "228128", "228\u30fb128": "228128", "228_128": "228128", "228\u00ad128": "228128",
		// Invisible: zero-width space, joiner, non-joiner, word joiner, BOM,
		// marks of direction, isolates.
		"228\u200b128": "228128", "228\u200d128\u200c": "228128", "\ufeff228\u2060128": "228128", "\u200e228128\u200f": "228128", "\u2066228128\u2069\u202c": "228128",
		// Punctuation and symbols around.
		"228128.": "228128", "\u201c228,128\u201d": "228128", "#228128!": "228128", "(228) 128": "228128", "228128\u3002": "228128", "**228128**": "228128",
		// Digits that look like themselves.
		"\uff12\uff12\uff18\uff11\uff12\uff18":                         "228128",
		"\u0662\u0662\u0668\u0661\u0662\u0668":                         "228128", // Arabic-Indic
		"\u06f2\u06f2\u06f8\u06f1\u06f2\u06f8":                         "228128", // Persian
		"\u0968\u0968\u096e\u0967\u0968\u096e":                         "228128", // Devanagari
		"\u0e52\u0e52\u0e58\u0e51\u0e52\u0e58":                         "228128", // Thai
		"\U0001d7d0\U0001d7da\U0001d7ea\U0001d7ed\U0001d7f8\U0001d7fe": "228128", // five mathematical ones
		"\u2461\u00b2\u2467\u2460\u2082\u2078":                         "228128", // circled, raised, lowered
		"2\ufe0f\u20e32\ufe0f\u20e38\ufe0f\u20e3128":                   "228128", // keycaps
		"2\u0662\uff18 \u09671\u0e58":                                  "228118", // mixed
		// Letters.
		"\uff21\uff42\uff12\uff23\uff44\uff13": "AB2CD3", "\U0001d400\U0001d41b2\U0001d436\U0001d4f13": "AB2CH3", "\u24b6\u24d12": "AB2", "\u212a": "K", "\u017f": "S",
		// What is in no code stays, so that it is none.
		"22812\u00e9": "22812\u00c9", "\u0410\u0412": "\u0410\u0412", "\u0391": "\u0391",
		// Nobody types that much.
		strings.Repeat(" ", maxTyped-6) + "228128": "228128", strings.Repeat(" ", maxTyped-5) + "228128": "",
		// A header in Latin-1: a no-break space and a soft hyphen.
		"228\xa0128": "228128", "228\xad128": "228128",
	} {
		if got := Canonical(typed); got != want {
			t.Errorf("%+q: got %+q, want %+q", typed, got, want)
		}
	}
}

// TestEveryDecimalDigitHasItsValue holds the table of Unicode to what value
// counts on: runs of tens, without gaps.
func TestEveryDecimalDigitHasItsValue(t *testing.T) {
	n := 0
	check := func(low, high, stride uint32) {
		if stride != 1 || (high-low+1)%10 != 0 {
			t.Fatalf("digits %x to %x by %d are not whole tens", low, high, stride)
		}
		for r := low; r <= high; r++ {
			n++
			if got, want := Canonical(string(rune(r))), string(rune('0'+(r-low)%10)); got != want {
				t.Errorf("%U: got %q, want %q", r, got, want)
			}
		}
	}
	for _, run := range unicode.Nd.R16 {
		check(uint32(run.Lo), uint32(run.Hi), uint32(run.Stride))
	}
	for _, run := range unicode.Nd.R32 {
		check(run.Lo, run.Hi, run.Stride)
	}
	if n < 600 {
		t.Errorf("only %d digits", n)
	}
}

// TestEveryBlankAndDashIsDropped goes through all that Unicode calls so.
func TestEveryBlankAndDashIsDropped(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.In(r, unicode.White_Space, unicode.Dash, unicode.Hyphen, unicode.Cf, unicode.Cc, unicode.Pattern_White_Space) {
			if got := Canonical("22" + string(r) + "8"); got != "228" {
				t.Errorf("%U: got %+q", r, got)
			}
		}
	}
}

// TestCanonicalIsStable: what is canonical stays so, wherever it is read again.
func TestCanonicalIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := Canonical(rapid.String().Draw(t, "typed"))
		if strings.Trim(once, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && Canonical(once) != once {
			t.Fatalf("%+q becomes %+q", once, Canonical(once))
		}
	})
}
