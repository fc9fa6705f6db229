package mvpd_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"ssod/httpfront/mvpd"
)

func TestDetails(t *testing.T) {
	long, address := strings.Repeat("ü", 400), "https://cable.example/upgrade?channel=1"
	tests := []struct {
		name string
		d    mvpd.Decision
		want string
	}{
		{"nothing", mvpd.Decision{Verdict: mvpd.Denied}, ""},
		{"message", mvpd.Decision{Verdict: mvpd.Denied, Message: "Not in your package."}, "Not in your package."},
		{"hint", mvpd.Decision{Verdict: mvpd.Denied, Upgrade: address}, address},
		{"both", mvpd.Decision{Verdict: mvpd.Denied, Message: "Not in your package.", Upgrade: address}, "Not in your package. " + address},
		{"of a permit", mvpd.Decision{Verdict: mvpd.Permit, Message: "Enjoy.", Upgrade: address}, ""},
		{"lines", mvpd.Decision{Verdict: mvpd.ParentalControls, Message: "\r\n One\tline,\n\x00 please \x1b"}, "One line, please"},
		{"writing backwards", mvpd.Decision{Verdict: mvpd.Denied, Message: "a\u202Eb\u2066c\uFEFF"}, "a b c"},
		{"no UTF-8", mvpd.Decision{Verdict: mvpd.Denied, Message: "a\xffb"}, "a\uFFFDb"},
		{"a long message", mvpd.Decision{Verdict: mvpd.Denied, Message: long}, strings.Repeat("ü", 255)},
		{"a long message leaves room for the hint", mvpd.Decision{Verdict: mvpd.Denied, Message: long, Upgrade: address}, strings.Repeat("ü", (511-len(address))/2) + " " + address},
		{"a long hint", mvpd.Decision{Verdict: mvpd.Denied, Message: "No.", Upgrade: address + strings.Repeat("x", 300)}, "No."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.d.Details()
			if got != tt.want || len(got) > mvpd.MaxDetails || !utf8.ValidString(got) {
				t.Errorf("got %q (%d bytes), want %q", got, len(got), tt.want)
			}
		})
	}
}
