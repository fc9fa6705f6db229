package webhook

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/actors/event"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// TestAddressesAreJudgedWhenTheyAreDialed: a name may lead anywhere.
func TestAddressesAreJudgedWhenTheyAreDialed(t *testing.T) {
	tests := []struct {
		address        string
		private, local bool
		ok             bool
	}{
		{"93.184.216.34:443", false, false, true},
		{"[2606:2800:220:1::1]:443", false, false, true},
		{"10.0.0.1:443", false, false, false},
		{"10.0.0.1:443", true, false, true},
		{"169.254.169.254:80", false, false, false},
		{"[fd00::1]:443", false, false, false},
		{"[::ffff:192.168.0.1]:443", false, false, false},
		{"100.64.0.1:443", false, false, false},
		{"[64:ff9b::93.184.216.34]:443", false, false, true},
		{"[64:ff9b::10.0.0.1]:443", false, false, false},
		{"[64:ff9b::10.0.0.1]:443", true, false, true},
		{"[64:ff9b::127.0.0.1]:443", false, false, false},
		{"[64:ff9b:1::1]:443", false, false, false},
		{"[2002:a9fe:a9fe::1]:80", false, false, false},
		{"127.0.0.1:80", false, false, false},
		{"127.0.0.1:80", false, true, true},
		{"[::1]:80", false, true, true},
		{"0.0.0.0:80", true, true, false},
		{"224.0.0.1:80", true, true, false},
	}
	for _, tt := range tests {
		err := admit(tt.address, tt.private, tt.local)
		if (err == nil) != tt.ok || err != nil && !errors.As(err, new(privateError)) {
			t.Errorf("%s (private %v, local %v): got %v", tt.address, tt.private, tt.local, err)
		}
	}
}

// TestProvidersAreToldOfTheirOwnViewers, by their ids, and nobody else of these.
func TestProvidersAreToldOfTheirOwnViewers(t *testing.T) {
	f := event.Fact{
		Type: event.DeviceLinked, Realm: "one", SSOID: "viewer", Device: []byte("tv"),
		Accounts: []event.Account{{MVPD: "cable", UserID: "u1"}, {MVPD: "dish", UserID: "u2"}, {MVPD: "cable", UserID: "u1"}},
	}
	at, key := time.UnixMilli(1_700_000_000_000), []byte("a secret of the realm")
	own := bodies(&config.Webhook{MVPD: "cable"}, f, at, key)
	if len(own) != 1 || !strings.Contains(string(own[0]), `"userID":"u1"`) || strings.Contains(string(own[0]), "viewer") || strings.Contains(string(own[0]), "dHY=") {
		t.Errorf("the provider is told %q", own)
	}
	if id := `"device":"` + mvpd.DeviceAt(key, "cable", f.Device) + `"`; !strings.Contains(string(own[0]), id) {
		t.Errorf("the provider is told %q, want %s, the id of the device at decisions", own, id)
	}
	if unkeyed := bodies(&config.Webhook{MVPD: "cable"}, f, at, nil); strings.Contains(string(unkeyed[0]), `"device"`) {
		t.Errorf("without a key the provider is told %q", unkeyed)
	}
	if none := bodies(&config.Webhook{MVPD: "other"}, f, at, key); len(none) != 0 {
		t.Errorf("another provider is told %q", none)
	}
	want := `{"type":"device.linked","timestamp":"2023-11-14T22:13:20.000Z","data":{"realm":"one","ssoId":"viewer","device":"dHY="}}`
	if brand := bodies(&config.Webhook{}, f, at, key); len(brand) != 1 || string(brand[0]) != want {
		t.Errorf("the brand is told %q, want %q", brand, want)
	}
	f.SSOID = strings.Repeat("\x01", 1000)
	if long := bodies(&config.Webhook{}, f, at, key); len(long[0]) > MaxBody || !strings.Contains(string(long[0]), `"truncated":true`) {
		t.Errorf("a long id makes a body of %d bytes", len(long[0]))
	}
}

func TestLettersAreReadBack(t *testing.T) {
	for _, want := range []letter{
		{Created: time.UnixMilli(5).UTC(), ID: [16]byte{1, 2}, JSON: []byte("{}")},
		{Created: time.UnixMilli(5).UTC(), Died: time.UnixMilli(9).UTC(), Attempts: 7, Why: "answered 500", JSON: []byte("{}")},
	} {
		got, err := parseLetter(want.encode())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		for n := range fixed {
			if _, err := parseLetter(want.encode()[:n]); err == nil {
				t.Errorf("%d bytes are taken for a letter", n)
			}
		}
	}
}

// TestAReceiverThatFailsIsLeftAlone, one event at a time is tried, and the first that is
// taken ends that.
func TestAReceiverThatFailsIsLeftAlone(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	r := &receiver{}
	for range failing {
		if !r.free(0, now) {
			t.Fatal("left alone before it fails")
		}
		r.failed(verdict{why: "answered 500"}, now)
	}
	if r.free(0, now) || r.free(0, now.Add(firstRetry/2)) || !r.free(0, now.Add(firstRetry)) {
		t.Errorf("after %d failures it is left alone until %v", r.failures, r.until)
	}
	if r.free(1, now.Add(time.Hour)) {
		t.Error("two events at once go to a receiver that fails")
	}
	if !r.took() || !r.free(0, now) {
		t.Error("it takes events again, and is left alone")
	}
	r.failed(verdict{wait: time.Minute}, now)
	if r.free(0, now.Add(59*time.Second)) {
		t.Error("Retry-After is not heeded")
	}
	r.failed(verdict{gone: true}, now)
	if r.free(0, now.Add(time.Hour)) {
		t.Error("a receiver that is gone gets events")
	}
	for n := 1; n < 40; n++ {
		if d := backoff(n); d > Life || d < firstRetry*4/5 {
			t.Errorf("the pause after %d failures is %v", n, d)
		}
	}
}
