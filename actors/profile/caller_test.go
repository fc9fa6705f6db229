package profile

import (
	"testing"

	"google.golang.org/protobuf/proto"
)

func TestJudge(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	with := func(c *Caller, change func(*Caller)) *Caller {
		c = proto.Clone(c).(*Caller)
		change(c)
		return c
	}
	tests := []struct {
		name   string
		caller *Caller
		want   Failure
	}{
		{"member", phone, Failure_OK},
		{"member without a device header", with(phone, func(c *Caller) { c.Device = nil }), Failure_OK},
		{"device of another member", with(phone, func(c *Caller) { c.Device = tv.Device }), Failure_WRONG_DEVICE},
		{"the same with bindDevice off", with(phone, func(c *Caller) { c.Device, c.Bind = tv.Device, false }), Failure_OK},
		{"another membership of the device", with(phone, func(c *Caller) { c.Membership++ }), Failure_NOT_MEMBER},
		{"membership is judged before device", with(phone, func(c *Caller) { c.Membership++; c.Device = tv.Device }), Failure_NOT_MEMBER},
		{"stranger", token("stranger", phone.Membership), Failure_NOT_MEMBER},
		{"digest cut short", with(phone, func(c *Caller) { c.Did = c.Did[:15] }), Failure_NOT_MEMBER},
		{"external token", external("stranger"), Failure_OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := v.list(tt.caller).Failure; got != tt.want {
				t.Errorf("list: got %v, want %v", got, tt.want)
			}
			if got := v.unlink(tt.caller, []string{"nobody"}).Failure; got != tt.want {
				t.Errorf("unlink: got %v, want %v", got, tt.want)
			}
			if got := v.refresh(tt.caller); got != tt.want {
				t.Errorf("refresh: got %v, want %v", got, tt.want)
			}
			if got := v.link(tt.caller, "code").Failure; got != tt.want {
				t.Errorf("link: got %v, want %v", got, tt.want)
			}
		})
	}
}
