package actors_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"ssod/actors"
	"ssod/cluster/faulty"
)

// The brackets of an IPv6 address are kept. A machine without IPv6 cannot listen
// there, and says that instead of misreading the address.
func TestItListensOnIPv6(t *testing.T) {
	transport := loopback()
	transport.Listen = "[::1]:0"
	v := newView(faulty.Options{Shards: 2})
	r, err := actors.Start(actors.Config{
		Shards: v, Slots: faulty.Slots(v), Kinds: []actors.Kind{kindOf(&probe{})}, Remote: transport,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		if strings.Contains(err.Error(), "too many colons") {
			t.Error(err)
		}
		return
	}
	if !strings.HasPrefix(r.Address(), "[::1]:") {
		t.Errorf("its address is %s", r.Address())
	}
	if err := r.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
