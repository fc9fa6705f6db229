package entitlement_test

import (
	"net/http"
	"testing"
)

// TestTwoTabs: after the login in one tab, the others of the browser go to the
// app as well, wherever they stood, and there is one login. A browser that is not
// the viewer's is too late.
func TestTwoTabs(t *testing.T) {
	a := start(t, realms)
	code := a.code("phone", "cable")
	stranger, viewer := a.browser(), a.browser()
	preview := stranger.open(a.sp, code)
	older, newer, waiting := viewer.open(a.sp, code), viewer.open(a.sp, code), viewer.open(a.sp, code)
	returning := viewer.callback(newer, "cleo") // chosen, and not yet back
	if end, _ := viewer.follow(viewer.callback(older, "ada"), nil); end != home {
		t.Fatalf("the first tab ends at %s", end)
	}
	for name, end := range map[string]func() string{
		"a tab on its way back":  func() string { end, _ := viewer.follow(returning, nil); return end },
		"a tab at the choice":    func() string { end, _ := viewer.follow(viewer.callback(waiting, "cleo"), nil); return end },
		"a tab that opens it":    func() string { end, _ := viewer.follow("/api/v2/authenticate/"+a.sp+"/"+code, nil); return end },
		"the first tab reloaded": func() string { end, _ := viewer.follow(viewer.callback(older, "ada"), nil); return end },
	} {
		if got := end(); got != home {
			t.Errorf("%s ends at %s", name, got)
		}
	}
	a.same("the login is the first one, who may watch", a.authorize("phone", "cable"), "permit")
	if _, r := stranger.follow(stranger.callback(preview, "cleo"), nil); r.StatusCode != http.StatusBadRequest {
		t.Errorf("another browser comes back: %d, want 400", r.StatusCode)
	}
	if r := stranger.visit("/api/v2/authenticate/"+a.sp+"/"+code, nil); r.StatusCode != http.StatusBadRequest {
		t.Errorf("another browser opens the link: %d, want 400", r.StatusCode)
	}
}
