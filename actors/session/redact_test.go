package session

import (
	"testing"

	"ssod/actors/redacttest"
)

func TestMessagesHideTheirContentsInLogs(t *testing.T) {
	redacttest.Check(t, File_actors_session_session_proto)
}
