package headers

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhatDevicesCanBeIsDocumented holds the lists of
// httpfront/docs/headers.md#x-device-info and httpfront/docs/sso.md#device-attributes
// against the code.
func TestWhatDevicesCanBeIsDocumented(t *testing.T) {
	word, aside := regexp.MustCompile(`[A-Za-z]+`), regexp.MustCompile(`\(.*?\)`)
	for list, tt := range map[string]struct {
		page, line string
		want       []string
	}{
		"hardware types": {"headers.md", `.primaryHardwareType. . one of (.*?); `, hardwareTypes},
		"platforms":      {"headers.md", `(?s)Platforms.. are (.*?), else\s+.unknown.`, slices.Collect(maps.Values(platforms))},
		"device types":   {"sso.md", `.primaryHardwareType.: (.*?), else .unknown.`, slices.Collect(maps.Values(deviceTypes))},
	} {
		page, err := os.ReadFile("../../docs/" + tt.page)
		if err != nil {
			t.Fatal(err)
		}
		line := regexp.MustCompile(tt.line).FindSubmatch(page)
		if line == nil {
			t.Errorf("%s: there is no list in %s", list, tt.page)
			continue
		}
		documented := word.FindAllString(aside.ReplaceAllString(string(line[1]), ""), -1)
		slices.Sort(documented)
		want := slices.Compact(slices.Sorted(slices.Values(tt.want)))
		if diff := cmp.Diff(want, documented); diff != "" {
			t.Errorf("%s (-in the code +on the page):\n%s", list, diff)
		}
	}
}
