package entitlement

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"ssod/actors/session"
	"ssod/httpfront/page/texts"
)

// card is what a viewer compares with the screen of a device before logging in for it. What
// the device and the app say of themselves, their owners may have made up; the code they
// cannot.
type card struct {
	App    string // empty: it has no name
	Device string
	Code   string // in two groups
}

func newCard(t *texts.Texts, id session.ID, by *session.Party) card {
	return card{App: visible(by.GetAppName()), Device: deviceName(t, by), Code: grouped(id.Code)}
}

// grouped is a code as people read it.
func grouped(code string) string { return code[:len(code)/2] + " " + code[len(code)/2:] }

// maxName bounds the characters of a device's name on the page.
const maxName = 64

// deviceName is a device in a few words: TV, Samsung QX-55.
func deviceName(t *texts.Texts, by *session.Party) string {
	name := visible(by.GetDeviceName())
	kind, known := t.Devices[by.GetDeviceType()]
	switch {
	case known && name != "":
		return kind + ", " + name
	case known:
		return kind
	case name != "":
		return name
	}
	return t.UnknownDevice
}

// visible is a text without what a reader does not see, such as marks that turn
// the direction of writing round, and not too long.
func visible(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
	if utf8.RuneCountInString(s) > maxName {
		return string([]rune(s)[:maxName-1]) + "…"
	}
	return s
}
