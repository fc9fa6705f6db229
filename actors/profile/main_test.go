package profile_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/actors/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tokenLife = 8 * 24 * time.Hour

var viewer = profile.ID{Realm: "acme", Namespace: profile.NamespaceSSO, Subject: "viewer-4711"}

func token(device string, membership int64) *profile.Caller {
	did := profile.Did([]byte(device))
	return &profile.Caller{Did: did[:], Membership: membership, Device: []byte(device), Bind: true}
}
