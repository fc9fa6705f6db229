package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
)

// trialDevices is how many devices of one viewer ask at once, and trialResources how many
// resources the trial of secretsConfig has.
const trialDevices, trialResources = 24, 5

// TestATrialStartsOnceOnThreeNodes lets devices of one viewer begin their trial at the same
// moment through three nodes: there is one start, and as many resources as are allowed. A
// reset for all gives another one.
func TestATrialStartsOnceOnThreeNodes(t *testing.T) {
	t.Parallel()
	c := startTrio(t, secretsConfig)
	c.balanced()
	a := c.mustApp("one")
	doors := c.spread(a)
	for round := range volume(5, 200) {
		who := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"email":"viewer %d"}`, round))
		ends, permitted := map[int64]int{}, 0
		var mu sync.Mutex
		var playing sync.WaitGroup
		for i := range trialDevices {
			playing.Go(func() {
				end, ok := doors[i%len(doors)].tryOut(newDevice(fmt.Sprintf("round %d device %d", round, i%16)), fmt.Sprint("film ", i), who)
				mu.Lock()
				defer mu.Unlock()
				if ok {
					permitted++
					ends[end]++
				}
			})
		}
		playing.Wait()
		if len(ends) != 1 || permitted != trialResources {
			t.Fatalf("round %d: %d permits with %d ends, want %d with one", round, permitted, len(ends), trialResources)
		}
	}
	tv, who := newDevice("round 0 device 0"), base64.StdEncoding.EncodeToString([]byte(`{"email":"viewer 0"}`))
	if _, ok := doors[0].tryOut(tv, "one more", who); ok {
		t.Fatal("a trial without resources permits one more")
	}
	reset := "/admin/v1/trials?" + url.Values{"realm": {"one"}, "mvpd": {"trial"}, "all": {"true"}}.Encode()
	answer, err := exchange(t.Context(), c.client, "http://"+c.any().Admin, call{method: "DELETE", target: reset})
	must(t, want(answer, err, http.StatusNoContent, nil))
	for i, door := range doors {
		if _, ok := door.tryOut(tv, fmt.Sprint("after the reset ", i), who); !ok {
			t.Errorf("node %d: all was reset, and the device has no trial", i)
		}
	}
}

// tryOut asks to play under a trial and returns when that ends.
func (a *app) tryOut(d *device, resource, identity string) (end int64, permitted bool) {
	a.Helper()
	answer, err := a.v2(a.Context(), "POST", "decisions/authorize/trial", d, `{"resources":["`+resource+`"]}`, "AP-TempPass-Identity", identity)
	var out struct {
		Decisions []struct {
			Authorized bool  `json:"authorized"`
			NotAfter   int64 `json:"notAfter"`
		} `json:"decisions"`
	}
	if err != nil || answer.Status != http.StatusOK || json.Unmarshal(answer.Body, &out) != nil || len(out.Decisions) != 1 {
		a.Errorf("%s: %d %s %v", resource, answer.Status, answer.Body, err)
		return 0, false
	}
	return out.Decisions[0].NotAfter, out.Decisions[0].Authorized
}
