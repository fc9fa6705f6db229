package profile

import (
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"ssod/actors"
)

func TestFit(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name  string
		in    *Attributes
		check func(*Attributes) bool
	}{
		{"fits", &Attributes{Model: "m", UserAgent: long(400)}, func(a *Attributes) bool { return len(a.UserAgent) == 400 && a.Model == "m" }},
		{"userAgent is cut first", &Attributes{Model: "m", UserAgent: long(600), Vendor: "v"}, func(a *Attributes) bool {
			return a.Model == "m" && a.Vendor == "v" && len(a.UserAgent) > 450 && len(a.UserAgent) < 512
		}},
		{"then the end of the list is dropped", &Attributes{Model: long(300), UserAgent: "u", Manufacturer: "m", Vendor: long(300)}, func(a *Attributes) bool {
			return a.Vendor == "" && a.Manufacturer == "m" && a.UserAgent == "" && len(a.Model) == 300
		}},
		{"even the first", &Attributes{DeviceType: long(600)}, func(a *Attributes) bool { return a.DeviceType == "" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := proto.Clone(tt.in)
			if got := Fit(tt.in); !tt.check(got) || proto.Size(got) > MaxAttributes {
				t.Errorf("got %v of %d bytes", got, proto.Size(got))
			}
			if !proto.Equal(before, tt.in) {
				t.Error("the argument was changed")
			}
		})
	}
}

func TestFitAlwaysFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 200, -1)
		a := &Attributes{
			DeviceType: text.Draw(t, "type"), Model: text.Draw(t, "model"), Os: text.Draw(t, "os"),
			OsVersion: text.Draw(t, "version"), Platform: text.Draw(t, "platform"), UserAgent: text.Draw(t, "agent"),
			Manufacturer: text.Draw(t, "manufacturer"), Vendor: text.Draw(t, "vendor"),
		}
		fitted := Fit(a)
		if n := proto.Size(fitted); n > MaxAttributes {
			t.Fatalf("%d bytes", n)
		}
		if !utf8.ValidString(fitted.UserAgent) || !strings.HasPrefix(a.UserAgent, fitted.UserAgent) {
			t.Fatalf("userAgent %q was cut to %q", a.UserAgent, fitted.UserAgent)
		}
	})
}

func TestAProfileBoundsWhatItIsTold(t *testing.T) {
	v := newViewer(t)
	big, err := proto.Marshal(&Attributes{Model: "m", UserAgent: strings.Repeat("x", 4000)})
	if err != nil {
		t.Fatal(err)
	}
	do[*MintReply](v, v.state.mint(&Mint{Device: &Device{Id: []byte("tv"), Attributes: big}, MaxDevices: 1}, actors.Times{Now: v.now, Confirmed: v.now}))
	if n := len(v.state.members[0].attributes); n == 0 || n > MaxAttributes {
		t.Errorf("stored attributes have %d bytes", n)
	}
}

func TestInvalidTextSaysNothing(t *testing.T) {
	if got := EncodeAttributes(&Attributes{Model: "\xff"}); got != nil {
		t.Errorf("got %q", got)
	}
}
