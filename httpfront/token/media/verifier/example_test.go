package verifier_test

import (
	"fmt"
	"log"
	"time"

	"ssod/httpfront/token/media/verifier"
)

// A backend that delivers video checks the media token of a request before it does.
// The keys are those of the realm, from /.well-known/{realm}/jwks.json; in a Go
// program client.Client.KeySet gets them.
func ExampleVerifier_Verify() {
	v, err := verifier.New([]byte(keySet))
	if err != nil {
		log.Fatal(err)
	}
	v.Now = func() time.Time { return time.Date(2026, 1, 2, 20, 1, 0, 0, time.UTC) } // the example's; else it is time.Now

	played := map[string]bool{} // a token is for one playback: kept until it expires
	for _, channel := range []string{"channel-1", "channel-1", "channel-2"} {
		token, result := v.Verify(mediaToken, channel)
		switch {
		case result != verifier.Valid:
			fmt.Println(channel, "is refused:", result)
		case played[token.ID]:
			fmt.Println(channel, "is refused: the token was used")
		default:
			played[token.ID] = true
			fmt.Println(channel, "is played for", token.ServiceProvider, "until", token.Expires().Format(time.TimeOnly))
		}
	}
	// Output:
	// channel-1 is played for acme-tv until 20:07:00
	// channel-1 is refused: the token was used
	// channel-2 is refused: INVALID_RESOURCE_ID
}

const keySet = `{"keys":[{"kty":"RSA","kid":"1","use":"sig","alg":"RS256","e":"AQAB","n":"` +
	"rHeYeE3tvp-h9GVheqK9sdKbZbvki973WuL4NXXKA1HHcyLDFVdFEgFXRh2ZWxIdNjAGP5FXEbHMrKURebTRwWP9bh8cMtSymYXJwoKbdq5wTl" +
	"Hcsb0uyAEbFcMSJVTzihfiTwUwbVMY4NG4Yuxpw0ncSXfcCzxHPwoDxgE3cmoTPClbMz-g3Sl-aOQj03UzvAktTYhHm5Ta9aCR4asrWSBZbTJo" +
	"O0qfF48PuWaBgGIeWerPxXHyy5DgkGTbtcOQTogT5erXU_rUZhpAc3o4djafm0oH4cBqmaCkMagRA-8mPxciyLGdtsbfsrBV8vu9gXW2DWi7QJ" +
	"poclIEWlu7uw" + `"}]}`

const mediaToken = "PHNpZ25hdHVyZUluZm8+TkltZVpKTXkzYVRMWCtnQ1lLQkZyTUdYSjlZbloxSnVrelVHV2ZtNlIrVmtCcHJLL0JlSW1RVUppQkh2TExaek9td0" +
	"dMUzdzMzQ5MWNGaTlPTnIzOGtpYlRkbmhpamxwQTRLaFA1Y21vbUZoVzUwWTRCdmhoZWhGZW9UNDVwZUl2Q3J2VXRWQXJ0L2V6SG5TUlpkdFov" +
	"T2lNYWV3bi9IcGxoWDdtQ3VrM0wxOEcvODhSL200YUY5M01qck5reEQvaU5jNVUrM0VDUlEzbC9JVU80M2plRGdGQlJQbTRJQnQyb0pkSW5tYm" +
	"gvWjJUeTF1ODBZK29RYzhLZlFzQkdmOTZDaGlWbFRyRk0xU1lOY09UaVM1SFRBQmpDNU0xVGRiOWxKay9UVGhrcmNmRTFIK0dEeG01R0krZHJo" +
	"UXI0ajlpejFQTkRyK1ZPNnVDMXdqVUxmZlFBPT08L3NpZ25hdHVyZUluZm8+PHNob3J0QXV0aG9yaXphdGlvblRva2VuPjxzZXNzaW9uR1VJRD" +
	"44ZjBjPC9zZXNzaW9uR1VJRD48cmVxdWVzdG9ySUQ+YWNtZS10djwvcmVxdWVzdG9ySUQ+PHJlc291cmNlSUQ+Y2hhbm5lbC0xPC9yZXNvdXJj" +
	"ZUlEPjx0dGw+NDIwMDAwPC90dGw+PGlzc3VlVGltZT4yMDI2LzAxLzAyIDIwOjAwOjAwIEdNVCArMDAwMDwvaXNzdWVUaW1lPjxtdnBkSWQ+Y2" +
	"FibGU8L212cGRJZD48cHJveHlNdnBkSWQ+PC9wcm94eU12cGRJZD48anRpPnE3WnQ8L2p0aT48L3Nob3J0QXV0aG9yaXphdGlvblRva2VuPg=="
