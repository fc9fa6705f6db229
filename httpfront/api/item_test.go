package api

import (
	"encoding/json"
	"testing"

	"ssod/httpfront/mvpd"
)

// TestEveryVerdictHasAnItem: whatever an MVPD says, the client is told in words of
// httpfront/docs/errors.md#errors-of-single-decisions, in the flat shape.
func TestEveryVerdictHasAnItem(t *testing.T) {
	codes := []string{"too_many_resources", "authenticated_profile_missing", "authenticated_profile_expired", "authenticated_profile_invalidated"}
	for v := mvpd.Unreadable; v <= mvpd.OutOfTime; v++ {
		if v != mvpd.Permit {
			codes = append(codes, v.Code(false), v.Code(true))
		}
	}
	for _, code := range codes {
		var got struct {
			Action, Code, Message, HelpURL, Trace string
			Status                                int
		}
		body := Item(code).AppendBody(nil, V2, "https://help.example", &Request{})
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got.Code != code || got.Status != 403 || got.Message == "" || got.Action == "" || got.Trace == "" {
			t.Errorf("%s: got %s", code, body)
		}
	}
	if Item("surprise") != Internal {
		t.Error("an unlisted code is an item")
	}
}
