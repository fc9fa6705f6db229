package sso

import (
	"testing"

	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/wire"
)

// requestWith is a request with a JSON body.
func requestWith(t testing.TB, body []byte) *api.Request {
	r := &wire.Request{Body: body}
	r.Set(wire.ContentType, []byte("application/json"))
	return &api.Request{Request: r}
}

// FuzzUnlinkBody: whatever the body is, the answer is one of the catalogue or a
// list that is within its bounds.
func FuzzUnlinkBody(f *testing.F) {
	for _, s := range []string{`{"devices":["a","b"]}`, `{"devices":[]}`, `null`, `{"devices":[5]}`, `{"devices":["a"],"devices":[]}`, `{"devices":["\ud800"]}`, "\xef\xbb\xbf{}", `{"Devices":["a"]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		spellings, err := unlinkBody(requestWith(t, body))
		if err != nil {
			if e, _ := api.Classify(err); e.Status != 400 {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		if len(spellings) == 0 || len(spellings) > maxUnlink {
			t.Errorf("%d devices", len(spellings))
		}
		for _, s := range spellings {
			for _, id := range candidates(s).Id {
				if s == "" || len(id) == 0 || len(id) > headers.MaxDevice {
					t.Errorf("%q can mean %q", s, id)
				}
			}
		}
	})
}
