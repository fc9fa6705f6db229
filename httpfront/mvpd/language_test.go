package mvpd_test

import (
	"strings"
	"testing"

	"ssod/httpfront/mvpd"
)

func TestInLanguage(t *testing.T) {
	texts := []mvpd.Text{{"de", "Nein"}, {"en-403", "No"}, {"pt-PT", "Não"}, {"pt-BR", "Não mesmo"}, {"", "?"}}
	for accept, want := range map[string]string{
		"":                          "Nein",
		"en":                        "No",
		"en-GB, de;q=0.5":           "No",
		"fr, en;q=0.2":              "No",
		"pt-BR":                     "Não mesmo",
		"pt":                        "Não",
		"fr;q=0.9, PT-br;q=0.1":     "Não mesmo",
		"fr":                        "Nein",
		"*":                         "Nein",
		"en;q=high":                 "Nein",
		strings.Repeat("en, ", 100): "Nein",
	} {
		if got := mvpd.InLanguage(accept, texts); got != want {
			t.Errorf("%.40q: got %q, want %q", accept, got, want)
		}
	}
	if got := mvpd.InLanguage("en", nil); got != "" {
		t.Errorf("no texts: got %q", got)
	}
}
