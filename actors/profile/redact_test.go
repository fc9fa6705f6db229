package profile

import (
	"testing"

	"ssod/actors/redacttest"
)

func TestMessagesHideTheirContentsInLogs(t *testing.T) {
	redacttest.Check(t, File_actors_profile_profile_proto)
}
