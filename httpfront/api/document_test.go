package api

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestErrorsAreDocumented holds the tables of httpfront/docs/errors.md#sso-service-errors
// and of the sections behind it against the code: each error is there with what a client
// sees, and no other.
func TestErrorsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	sso, v2 := rowsOf(t, page, "SSO Service errors", 4), rowsOf(t, page, "Entitlement errors", 3)
	for _, e := range Catalogue() {
		whole := fmt.Sprintf("`%s` %d %s %s", e.Code, e.Status, e.Action, e.Message)
		short := fmt.Sprintf("`%s` %d %s", e.Code, e.Status, e.Action)
		if !e.registration && !slices.Contains(sso, whole) && !slices.Contains(v2, short) {
			t.Errorf("%s is in no table", whole)
		}
	}
	for _, row := range sso {
		if !slices.ContainsFunc(Catalogue(), func(e *Error) bool {
			return !e.registration && row == fmt.Sprintf("`%s` %d %s %s", e.Code, e.Status, e.Action, e.Message)
		}) {
			t.Errorf("SSO Service errors: nobody is told %s", row)
		}
	}
	for _, row := range v2 {
		if !slices.ContainsFunc(append(Catalogue(), internalV2), func(e *Error) bool {
			return !e.registration && row == fmt.Sprintf("`%s` %d %s", e.Code, e.Status, e.Action)
		}) {
			t.Errorf("Entitlement errors: nobody is told %s", row)
		}
	}
	compare(t, "Errors of single decisions", rowsOf(t, page, "Errors of single decisions", 3), itemRows())
	compare(t, "Registration errors", rowsOf(t, page, "Registration errors", 2), registrationRows())
	compare(t, "Actions", rowsOf(t, page, "Actions", 1), actionRows())
	for _, name := range statusNames {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("Shapes: %s is not named", name)
		}
	}
}

func compare(t *testing.T, section string, documented, want []string) {
	t.Helper()
	slices.Sort(documented)
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), documented); diff != "" {
		t.Errorf("%s (-in the code +on the page):\n%s", section, diff)
	}
}

func itemRows() (rows []string) {
	for _, e := range items {
		rows = append(rows, fmt.Sprintf("`%s` %d %s", e.Code, e.Status, e.Action))
	}
	return rows
}

// registrationRows are the errors of package registration, and what others are called
// below /o/.
func registrationRows() (rows []string) {
	for _, e := range Catalogue() {
		if e.registration || e.Status >= http.StatusNotFound {
			rows = append(rows, fmt.Sprintf("`%s` %d", e.OAuthCode(), e.Status))
		}
	}
	return rows
}

func actionRows() (rows []string) {
	for _, e := range slices.AppendSeq(Catalogue(), maps.Values(items)) {
		if !e.registration {
			rows = append(rows, "`"+string(e.Action)+"`")
		}
	}
	return rows
}

// rowsOf returns the first columns of the table in a section, without its head.
func rowsOf(t *testing.T, page, section string, columns int) (rows []string) {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n## "+section+"\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "|") {
			cells := strings.Split(strings.Trim(line, "| \n"), " | ")
			rows = append(rows, strings.Join(cells[:min(columns, len(cells))], " "))
		}
	}
	if !found || len(rows) < 3 {
		t.Fatalf("there is no table in section %s", section)
	}
	return rows[2:]
}
