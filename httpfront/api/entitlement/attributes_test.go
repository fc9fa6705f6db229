package entitlement

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

var received = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

// What a connector tells of a viewer is what clients read, and nothing else:
// not what it wants back itself, and not what a later version adds.
func TestAttributes(t *testing.T) {
	encoded, err := encodeAccount(mvpd.Identity{
		Subject: `a "b"`, Handle: []byte("secret"),
		Attributes: []mvpd.Attribute{
			{Name: "zip", Value: []byte(`["12345"]`)},
			{Name: "channelID", Value: []byte(`"c2VhbGVk"`), Encrypted: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	encoded = protowire.AppendString(protowire.AppendTag(encoded, 900, protowire.BytesType), "later")
	encoded = protowire.AppendVarint(protowire.AppendTag(encoded, 901, protowire.VarintType), 7)
	want := `"userID":{"value":"a \"b\"","state":"plain"},"zip":{"value":["12345"],"state":"plain"},"channelID":{"value":"c2VhbGVk","state":"enc"}`
	if diff := cmp.Diff(want, string(appendAttributes(nil, encoded))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A connector that does not keep to its contract cannot make us store or say
// just anything.
func TestIdentitiesAreBounded(t *testing.T) {
	one := func(name, value string) []mvpd.Attribute { return []mvpd.Attribute{{Name: name, Value: []byte(value)}} }
	for name, who := range map[string]mvpd.Identity{
		"nobody":           {},
		"long subject":     {Subject: pad(mvpd.MaxSubject + 1)},
		"binary subject":   {Subject: "\xff"},
		"large handle":     {Subject: "a", Handle: make([]byte, mvpd.MaxHandle+1)},
		"large tokens":     {Subject: "a", Tokens: make([]byte, mvpd.MaxTokens+1)},
		"long session":     {Subject: "a", Session: pad(mvpd.MaxSubject + 1)},
		"session, no text": {Subject: "a", Session: "\xff"},
		"no JSON":          {Subject: "a", Attributes: one("zip", `"1" , "b":{}`)},
		"nothing":          {Subject: "a", Attributes: one("zip", "")},
		"binary name":      {Subject: "a", Attributes: one("\xff", "1")},
		"the id again":     {Subject: "a", Attributes: one("userID", `"b"`)},
		"large attributes": {Subject: "a", Attributes: one("zip", `"`+pad(mvpd.MaxAttributes)+`"`)},
	} {
		if _, err := encodeAccount(who); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func pad(n int) string { return strings.Repeat("a", n) }

// A login never lasts longer than the configuration allows.
func TestHowLongALoginLasts(t *testing.T) {
	for name, tt := range map[string]struct {
		told    time.Duration // 0: nothing
		unknown bool          // the device's platform
		want    time.Duration
	}{
		"the MVPD says nothing": {0, false, time.Hour}, "less": {time.Minute, false, time.Minute}, "more": {2 * time.Hour, false, time.Hour},
		"on an unknown platform": {0, true, 20 * time.Minute}, "less, there": {time.Minute, true, time.Minute},
	} {
		who := mvpd.Identity{Subject: "a"}
		if tt.told != 0 {
			who.NotAfter = received.Add(tt.told)
		}
		l, err := newLogin(&api.Request{Received: received}, &config.MVPD{ID: "cable", AuthnTTL: time.Hour, UnknownTTL: 20 * time.Minute}, who, &session.Party{UnknownPlatform: tt.unknown})
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Duration(l.NotAfterMs-l.NotBeforeMs) * time.Millisecond; got != tt.want {
			t.Errorf("%s: lasts %v, want %v", name, got, tt.want)
		}
	}
}

// TestHomeBasedStatus: MVPDs say it in several forms, apps read one.
func TestHomeBasedStatus(t *testing.T) {
	for said, want := range map[string]string{
		`true`: "true", `"true"`: "true", `1`: "true", `"1"`: "true", `false`: "false", `"false"`: "false", `0`: "false", `"maybe"`: `"maybe"`,
	} {
		if got := string(normal("hba_status", json.RawMessage(said))); got != want {
			t.Errorf("%s: got %s, want %s", said, got, want)
		}
	}
	if got := string(normal("onNet", json.RawMessage(`"true"`))); got != `"true"` {
		t.Errorf("another attribute: got %s", got)
	}
}
