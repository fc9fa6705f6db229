package sandbox

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestTheViewersAreDocumented, all of them and in this order, with the words of the login
// page.
func TestTheViewersAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/entitlement.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| viewer | the page says | then |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	if len(rows) != len(viewers) {
		t.Fatalf("entitlement.md has %d viewers, the sandbox %d", len(rows), len(viewers))
	}
	for i, v := range viewers {
		if want := fmt.Sprintf("| `%s` | %s | ", v.ID, v.About); !strings.HasPrefix(rows[i], want) {
			t.Errorf("row %d is %q, want %q", i+1, rows[i], want)
		}
	}
}
