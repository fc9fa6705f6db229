package texts

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// leaves are the texts by the paths of their keys.
func leaves(v reflect.Value, path string, into map[string]string) {
	switch v.Kind() {
	case reflect.String:
		into[path] = v.String()
	case reflect.Map:
		for _, key := range v.MapKeys() {
			into[path+"."+key.String()] = v.MapIndex(key).String()
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("yaml"); name != "-" {
				leaves(v.Field(i), path+"."+name, into)
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// TestEveryLanguageHasEveryText, with the same names in braces, and none forgotten in
// English.
func TestEveryLanguageHasEveryText(t *testing.T) {
	entries, err := files.ReadDir(".")
	if err != nil || len(entries) != len(names) {
		t.Errorf("%d files for the languages %v, %v", len(entries), names, err)
	}
	english := map[string]string{}
	leaves(reflect.ValueOf(*English()), "", english)
	if len(english) < 60 {
		t.Fatalf("only %d texts", len(english))
	}
	for _, texts := range all {
		got := map[string]string{}
		leaves(reflect.ValueOf(*texts), "", got)
		for key := range got {
			if _, known := english[key]; !known {
				t.Errorf("%s: %s is in no other language", texts.Lang, key)
			}
		}
		for key, original := range english {
			text := got[key]
			if strings.TrimSpace(text) == "" || text != strings.TrimSpace(text) {
				t.Errorf("%s: %s is %q", texts.Lang, key, text)
			}
			if a, b := placeholders(original), placeholders(text); !slices.Equal(a, b) {
				t.Errorf("%s: %s has %v, want %v", texts.Lang, key, b, a)
			}
			if texts != English() && text == original && strings.Contains(text, " ") {
				t.Errorf("%s: %s is not translated", texts.Lang, key)
			}
		}
	}
}

func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return found
}

func TestFor(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "en": "en", "de": "de", "DE-AT": "de", "fr-CA,fr;q=0.9,en;q=0.8": "fr", "es-419": "es", "gsw,de;q=0.5": "de",
		"ja,es;q=0.5,de;q=0.9": "de", "ja": "en", "*": "en", "it, pt": "en", "de;q=0, fr": "fr", "nonsense;;;": "en", "\x00\xff": "en",
		strings.Repeat("x-", 40000): "en", strings.Repeat("a", 600) + ",de": "en",
	} {
		if got := For([]byte(header)).Lang; got != want {
			t.Errorf("%.60q: got %s, want %s", header, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	got := Fill(`{a} & {b} <c>`, "a", `<Acme & "Co">`, "b", "{a}")
	if want := `<strong><bdi>&lt;Acme &amp; &#34;Co&#34;&gt;</bdi></strong> &amp; <strong><bdi>{a}</bdi></strong> &lt;c&gt;`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := FillPlain("Continue with {provider}", "provider", "Acme <TV>"); got != "Continue with Acme <TV>" {
		t.Errorf("got %s", got)
	}
}
